package devserver

import (
	"io/fs"
	"os"
	"sync/atomic"
)

// assets is the folder of static files, which can become another one. It is
// safe for concurrent use.
type assets struct{ dir atomic.Pointer[string] }

// set changes the folder; "" serves nothing.
func (a *assets) set(dir string) { a.dir.Store(&dir) }

// Open implements fs.FS.
func (a *assets) Open(name string) (fs.File, error) {
	dir := a.dir.Load()
	if dir == nil || *dir == "" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return os.DirFS(*dir).Open(name)
}
