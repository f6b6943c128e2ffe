package manifest

import (
	"os"
	"path/filepath"
)

// names of the manifest, the first one preferred.
var names = []string{"party.json", "party.jsonc"}

// Find returns the manifest that a command in dir works with: the one in dir
// or in the nearest folder above it. A relative dir is taken from the working
// directory. The path is absolute unless that is not known.
func Find(dir string) (path string, ok bool) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for {
		for _, name := range names {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				return path, true
			}
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", false
		}
		dir = above
	}
}
