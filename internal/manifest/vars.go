package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// ParseVars reads the arguments of --var, in order, of which each is NAME=value, or NAME alone for the
// value that lookup finds, which is os.LookupEnv: so a secret need not stand in a command line, where everybody on the machine
// can read it. Of two with one name the later counts. No error shows a value.
func ParseVars(args []string, lookup func(name string) (value string, ok bool)) (map[string]string, error) {
	vars := make(map[string]string, len(args))
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if variable.wrong(name) != "" {
			return nil, errors.New("--var wants NAME=value, or NAME for a variable of the environment")
		}
		if !ok {
			if value, ok = lookup(name); !ok {
				return nil, fmt.Errorf("--var %s: the environment has no such variable; set it, or write --var %s=value", name, name)
			}
		}
		vars[name] = value
	}
	return vars, nil
}

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
