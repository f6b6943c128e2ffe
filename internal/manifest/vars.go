package manifest

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/diag"
)

// LoadVars returns the server's environment: the manifest's vars, overridden by
// .env in dir, then in dev by .env.local in dir, then by flags. What
// comes from the manifest keeps its JSON type, the rest are strings. m may be nil.
//
// files are those that were read, in that order; one that does not exist is no
// problem, and neither is a folder of that name. With errors in the list the variables
// are those that could be read.
func LoadVars(m *Manifest, dir string, dev bool, flags map[string]string) (vars map[string]any, files []string, list diag.List) {
	vars = make(map[string]any)
	if m != nil {
		maps.Copy(vars, m.Vars)
	}
	names := []string{".env"}
	if dev {
		names = append(names, ".env.local")
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			list.Errorf(diag.Position{File: path}, "unreadable", "cannot read the variables: %v", reason(err))
			continue
		}
		files = append(files, path)
		env, problems := ParseEnv(path, data)
		list = append(list, problems...)
		for k, v := range env {
			vars[k] = v
		}
	}
	for k, v := range flags {
		vars[k] = v
	}
	return vars, files, list
}

// reason returns an error of the file system without the path, which the
// diagnostic's position has.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
