//go:build unix

package crashdisk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// shim stands before SQLite's own VFS. It is installed once and stays: connections
// remember which one they were opened with.
var shim struct {
	once sync.Once
	err  error
	base *lib.Tsqlite3_vfs // the original
	self uintptr           // of base

	mu      sync.Mutex
	disks   map[string]*Disk    // by folder
	files   map[uintptr]*file   // open ones, by their address in SQLite
	methods map[uintptr]uintptr // ours, by the address of the originals
}

// file is an open file of a watched folder.
type file struct {
	disk    *Disk
	name    string
	methods *lib.Tsqlite3_io_methods // the original ones
	names   bool                     // the next sync is one of the folder too, as in SQLite's unixSync
}

func install() error {
	shim.once.Do(func() { shim.err = register() })
	return shim.err
}

func register() error {
	tls := libc.NewTLS() // for the life of the process, like the VFS
	if lib.Xsqlite3_initialize(tls) != lib.SQLITE_OK {
		return errors.New("initialize SQLite")
	}
	shim.disks, shim.files = make(map[string]*Disk), make(map[uintptr]*file)
	shim.methods = make(map[uintptr]uintptr)
	shim.self = lib.Xsqlite3_vfs_find(tls, 0)
	shim.base = at[lib.Tsqlite3_vfs](shim.self)
	ours := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
	name, err := libc.CString("crashdisk")
	if err != nil || ours == 0 {
		return errors.New("no memory for a VFS")
	}
	vfs := at[lib.Tsqlite3_vfs](ours)
	*vfs = *shim.base
	vfs.FpNext, vfs.FzName = 0, name
	vfs.FxOpen, vfs.FxDelete = address(open), address(remove)
	if lib.Xsqlite3_vfs_register(tls, ours, 1) != lib.SQLITE_OK {
		return errors.New("register a VFS")
	}
	return nil
}

// at is what SQLite has at an address of its own.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// address is how SQLite, in Go, knows a function; function is the way back.
func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

// watched returns the disk that a path is on, nil for none, and its name there.
func watched(path string) (*Disk, string) {
	if strings.HasSuffix(path, "-shm") {
		return nil, "" // shared memory, which is made anew after a crash
	}
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.disks[filepath.Dir(path)], filepath.Base(path)
}

func open(tls *libc.TLS, _, zPath, pFile uintptr, flags int32, pOut uintptr) int32 {
	var d *Disk
	var name, path string
	if zPath != 0 {
		path = libc.GoString(zPath)
		d, name = watched(path)
	}
	real := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](shim.base.FxOpen)
	if d == nil {
		return real(tls, shim.self, zPath, pFile, flags, pOut)
	}
	code := int32(lib.SQLITE_OK)
	opened := func(Step) int32 {
		code = real(tls, shim.self, zPath, pFile, flags, pOut)
		return code
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) && flags&lib.SQLITE_OPEN_CREATE != 0 {
		d.do(Step{Kind: Create, File: name}, opened)
	} else {
		opened(Step{})
	}
	if code == lib.SQLITE_OK {
		const named = lib.SQLITE_OPEN_WAL | lib.SQLITE_OPEN_MAIN_JOURNAL | lib.SQLITE_OPEN_SUPER_JOURNAL
		adopt(tls, pFile, &file{disk: d, name: name, names: flags&lib.SQLITE_OPEN_CREATE != 0 && flags&named != 0})
	}
	return code
}

// adopt puts our methods in place of a file's own.
func adopt(tls *libc.TLS, pFile uintptr, f *file) {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	h := at[lib.Tsqlite3_file](pFile)
	f.methods = at[lib.Tsqlite3_io_methods](h.FpMethods)
	ours := shim.methods[h.FpMethods]
	if ours == 0 {
		ours = libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
		m := at[lib.Tsqlite3_io_methods](ours)
		*m = *f.methods
		m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose = address(write), address(truncate), address(flush), address(shut)
		shim.methods[h.FpMethods] = ours
	}
	h.FpMethods = ours
	shim.files[pFile] = f
}

func opened(pFile uintptr) *file {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.files[pFile]
}

func write(tls *libc.TLS, pFile, buf uintptr, n int32, offset lib.Tsqlite3_int64) int32 {
	f := opened(pFile)
	real := function[func(*libc.TLS, uintptr, uintptr, int32, lib.Tsqlite3_int64) int32](f.methods.FxWrite)
	s := Step{Kind: Write, File: f.name, Offset: offset, Data: unsafe.Slice(at[byte](buf), n)}
	return f.disk.do(s, func(s Step) int32 { return real(tls, pFile, buf, int32(len(s.Data)), offset) })
}

func truncate(tls *libc.TLS, pFile uintptr, size lib.Tsqlite3_int64) int32 {
	f := opened(pFile)
	real := function[func(*libc.TLS, uintptr, lib.Tsqlite3_int64) int32](f.methods.FxTruncate)
	return f.disk.do(Step{Kind: Truncate, File: f.name, Offset: size}, func(Step) int32 { return real(tls, pFile, size) })
}

func flush(tls *libc.TLS, pFile uintptr, flags int32) int32 {
	f := opened(pFile)
	real := function[func(*libc.TLS, uintptr, int32) int32](f.methods.FxSync)
	code := f.disk.do(Step{Kind: Sync, File: f.name, Names: f.names}, func(Step) int32 { return real(tls, pFile, flags) })
	if code == lib.SQLITE_OK {
		f.names = false
	}
	return code
}

func shut(tls *libc.TLS, pFile uintptr) int32 {
	shim.mu.Lock()
	f := shim.files[pFile]
	delete(shim.files, pFile)
	shim.mu.Unlock()
	return function[func(*libc.TLS, uintptr) int32](f.methods.FxClose)(tls, pFile)
}

func remove(tls *libc.TLS, _, zPath uintptr, syncNames int32) int32 {
	real := function[func(*libc.TLS, uintptr, uintptr, int32) int32](shim.base.FxDelete)
	d, name := watched(libc.GoString(zPath))
	if d == nil {
		return real(tls, shim.self, zPath, syncNames)
	}
	return d.do(Step{Kind: Delete, File: name, Names: syncNames != 0}, func(Step) int32 { return real(tls, shim.self, zPath, syncNames) })
}
