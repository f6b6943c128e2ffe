//go:build unix

package devserver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestRecordingAPartyIsNoChange wants the manifest that a build has written itself to cause no other
// build, and to be what counts; what the user changes in it afterwards does.
func TestRecordingAPartyIsNoChange(t *testing.T) {
	p := newProject(t)
	const recorded = `{"serve": "public", "vars": {"WHO": "moon"}, "migrations": [{"tag": "v1", "new": ["echo"]}]}`
	path := filepath.Join(p.dir, "party.json")
	o := p.options()
	o.Generate = func(context.Context) (GenerateResult, error) {
		data, err := os.ReadFile(path)
		if err != nil || string(data) != `{"serve": "public", "vars": {"WHO": "world"}}` {
			return GenerateResult{}, err
		}
		return GenerateResult{Manifest: []byte(recorded)}, os.WriteFile(path, []byte(recorded), 0o644)
	}
	p.run(o)
	first := p.waitReload()
	if _, body := p.get("/parties/echo/a", nil); body != "hello moon" {
		t.Errorf("got %q, want what the recorded manifest says", body)
	}
	p.edit("server.go", `"hello"`, `"bye"`)
	if second := p.waitReload(); first.Build != 1 || second.Build != 2 {
		t.Errorf("builds %d and %d, want no other than 1 and 2", first.Build, second.Build)
	}
	p.edit("party.json", "moon", "sun")
	p.waitReload()
	p.edit("party.json", "sun", "moon") // as it was recorded
	p.waitReload()
	if _, body := p.get("/parties/echo/a", nil); body != "bye moon" {
		t.Errorf("got %q after the user's changes", body)
	}
}
