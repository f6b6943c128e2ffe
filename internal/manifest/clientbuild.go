package manifest

import (
	"path"
	"strings"
)

// DefaultOutdir is where browser code is bundled to, below the folder of the assets.
const DefaultOutdir = "dist"

// Out is the folder that browser code is bundled to, relative to the manifest like the
// rest; empty if nothing is bundled.
func (s *Serve) Out() string {
	switch {
	case s.Build == nil:
		return ""
	case s.Build.Outdir != "":
		return path.Clean(s.Build.Outdir)
	default:
		return path.Join(s.Path, DefaultOutdir)
	}
}

// Hashed is Out as a folder among the assets, whose URLs begin with it; empty if it is none.
func (s *Serve) Hashed() string {
	out, root := s.Out(), path.Clean(s.Path)
	if root == "." && out != "." && out != ".." && !strings.HasPrefix(out, "../") {
		return out
	}
	inside, ok := strings.CutPrefix(out, root+"/")
	if !ok {
		return ""
	}
	return inside
}
