package assets

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// forEver is for files whose name changes with their content.
const forEver = "public, max-age=31536000, immutable"

// cacheControl says how long a file may be kept. Seconds are those of Options.
func cacheControl(browser, edge *int) string {
	switch {
	case browser == nil && edge == nil:
		return "no-cache" // may be kept, must be asked about
	case browser == nil:
		return fmt.Sprintf("public, max-age=0, must-revalidate, s-maxage=%d", *edge)
	case edge == nil:
		return fmt.Sprintf("public, max-age=%d", *browser)
	default:
		return fmt.Sprintf("public, max-age=%d, s-maxage=%d", *browser, *edge)
	}
}

// withHash is how esbuild names what it splits off, and what package bundle has it copy: chunk-4WR7T2QK.js.
var withHash = regexp.MustCompile(`-[A-Z2-7]{8}\.[a-z0-9]+(\.map)?$`)

// hashed reports whether a path names a file whose content never changes. Only in the bundler's own
// folder do names count: elsewhere report-FEBRUARY.pdf is a report.
func (s *Server) hashed(name string) bool {
	return s.opts.Hashed != "" && strings.HasPrefix(name, "/"+s.opts.Hashed+"/") && withHash.MatchString(path.Base(name))
}
