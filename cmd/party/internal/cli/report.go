package cli

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/goparty-dev/party/internal/diag"
)

// report shows diagnostics, on stderr, with their source lines.
func (s *streams) report(list diag.List) {
	if len(list) == 0 {
		return
	}
	r := diag.Renderer{Source: diag.Files(), Color: colorful(s.err)}
	// Without a working directory paths stay as they are.
	r.Dir, _ = os.Getwd()
	// There is nobody left to tell that stderr cannot be written.
	_ = r.Render(s.err, list.Sorted())
}

// colorful reports whether w is a terminal whose user has not asked for plain text.
func colorful(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// shown returns a path as a user would write it: relative if it is below the
// working directory.
func shown(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}
