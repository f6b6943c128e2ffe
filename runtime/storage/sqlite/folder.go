package sqlite

import (
	"errors"
	"os"
	"path/filepath"
)

// makeFolder creates a folder, and those it is in, and makes their names durable: else
// a power cut could take a folder away with the store that SQLite has synced in it.
func makeFolder(dir string) error {
	missing := []string{}
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Stat(at)
		if err == nil || at == filepath.Dir(at) {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		missing = append(missing, at)
	}
	if len(missing) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, made := range missing {
		if err := syncFolder(filepath.Dir(made)); err != nil {
			return err
		}
	}
	return nil
}
