package manifest_test

import (
	"testing"

	"github.com/goparty-dev/party/internal/manifest"
)

func TestOut(t *testing.T) {
	for _, c := range []struct{ path, outdir, out, hashed string }{
		{"public", "", "public/dist", "dist"},
		{"./public/", "", "public/dist", "dist"},
		{".", "", "dist", "dist"},
		{"public", "public/js/build", "public/js/build", "js/build"},
		{"public", "public", "public", ""},
		{"public", "elsewhere", "elsewhere", ""},
		{"public", "publicity", "publicity", ""},
		{".", "../out", "../out", ""},
		{".", ".", ".", ""},
	} {
		s := manifest.Serve{Path: c.path, Build: &manifest.ClientBuild{Outdir: c.outdir}}
		if out, hashed := s.Out(), s.Hashed(); out != c.out || hashed != c.hashed {
			t.Errorf("path %q, outdir %q: got %q and %q, want %q and %q", c.path, c.outdir, out, hashed, c.out, c.hashed)
		}
	}
	if s := (&manifest.Serve{Path: "public"}); s.Out() != "" || s.Hashed() != "" {
		t.Errorf("without a build: got %q and %q", s.Out(), s.Hashed())
	}
}
