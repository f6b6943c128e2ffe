package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Names of what a version's folder holds.
const (
	binaryFile   = "app"
	AboutFile    = "about.json"
	ManifestFile = "party.json" // absent if the program has no manifest
	AssetsFolder = "assets"     // absent if it has none
)

// unpackTime bounds how long a binary may take to say what is in it.
const unpackTime = 30 * time.Second

// Folder is where versions are kept. It belongs to one process at a time.
type Folder struct{ dir string }

// At names a folder, which need not exist. Until Prepare, only Load and Get are of use.
func At(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("versions: %w", err)
	}
	return &Folder{dir}, nil
}

// Prepare makes the folder if need be, and removes what an interrupted Add has left there.
func (f *Folder) Prepare() error {
	err := os.MkdirAll(f.dir, 0o700)
	if err == nil {
		var left []string
		left, err = filepath.Glob(filepath.Join(f.dir, "tmp-*"))
		for _, l := range left {
			err = errors.Join(err, os.RemoveAll(l))
		}
	}
	if err != nil {
		return fmt.Errorf("versions: %w", err)
	}
	return nil
}

// Release is one version in the folder.
type Release struct {
	ID       string // the beginning of its binary's hash
	About    About
	Manifest []byte // nil if there is none
	dir      string
}

// Binary is the path of the program.
func (r *Release) Binary() string { return filepath.Join(r.dir, binaryFile) }

// Assets are the static files; nil if there are none.
func (r *Release) Assets() fs.FS {
	dir := filepath.Join(r.dir, AssetsFolder)
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return os.DirFS(dir)
}

// Add copies a binary into the folder and has it say what is in it. A version that is there already is
// not added again. The error is for somebody who has named the wrong file.
func (f *Folder) Add(ctx context.Context, binary string) (*Release, error) {
	if id, err := ID(binary); err == nil {
		if r, err := f.Get(id); err == nil {
			return r, nil
		}
	}
	tmp, err := os.MkdirTemp(f.dir, "tmp-")
	if err != nil {
		return nil, fmt.Errorf("add a version: %w", err)
	}
	defer os.RemoveAll(tmp)
	id, err := copyBinary(filepath.Join(tmp, binaryFile), binary)
	if err != nil {
		return nil, fmt.Errorf("add a version: %w", err)
	}
	if err := unpack(ctx, tmp); err != nil {
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	if _, err := read(tmp, id); err != nil {
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	// A version that Get could not read is in the way.
	if err := os.RemoveAll(filepath.Join(f.dir, id)); err != nil {
		return nil, fmt.Errorf("add version %s: %w", id, err)
	}
	if err := os.Rename(tmp, filepath.Join(f.dir, id)); err != nil {
		return nil, fmt.Errorf("add version %s: %w", id, err)
	}
	return f.Get(id)
}

// Get returns a version. The error is fs.ErrNotExist if it is not there.
func (f *Folder) Get(id string) (*Release, error) {
	if !isID(id) {
		return nil, fmt.Errorf("version %q: %w", id, fs.ErrNotExist)
	}
	return read(filepath.Join(f.dir, id), id)
}

func read(dir, id string) (*Release, error) {
	r := &Release{ID: id, dir: dir}
	data, err := os.ReadFile(filepath.Join(dir, AboutFile))
	if err == nil {
		err = json.Unmarshal(data, &r.About)
	}
	if err == nil {
		_, err = os.Stat(r.Binary())
	}
	if err != nil {
		return nil, fmt.Errorf("read version %s: %w", id, err)
	}
	if r.Manifest, err = os.ReadFile(filepath.Join(dir, ManifestFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read version %s: %w", id, err)
	}
	return r, nil
}

// Keep removes all versions but these.
func (f *Folder) Keep(ids []string) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("remove old versions: %w", err)
	}
	kept := make(map[string]bool)
	for _, id := range ids {
		kept[id] = true
	}
	for _, e := range entries {
		if e.IsDir() && isID(e.Name()) && !kept[e.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(f.dir, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove old versions: %w", err)
	}
	return nil
}

// idLength is how many digits of the hash are enough to tell versions apart.
const idLength = 12

func isID(s string) bool {
	return len(s) == idLength && strings.Trim(s, "0123456789abcdef") == ""
}

// ID returns the version that a binary is.
func ID(binary string) (string, error) {
	in, err := os.Open(binary)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:idLength], nil
}

// copyBinary copies a file, durably, and returns its version.
func copyBinary(to, from string) (id string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", from)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, sum), in); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:idLength], out.Sync()
}

// unpack runs the binary in a folder to write down there what it is.
func unpack(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, unpackTime)
	defer cancel()
	for wait := time.Millisecond; ; wait *= 2 {
		cmd := exec.CommandContext(ctx, filepath.Join(dir, binaryFile), "unpack", dir)
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ETXTBSY) && wait < time.Second {
			time.Sleep(wait) // a child that was forked a moment ago holds it open until its own exec
			continue
		}
		if err != nil {
			return fmt.Errorf("it does not say what it is, as programs made by party build do: %w\n%s", err, strings.TrimSpace(string(out[:min(len(out), 2<<10)])))
		}
		if _, err := os.Stat(filepath.Join(dir, AboutFile)); err != nil {
			return errors.New("it does not say what it is: was it made by party build?")
		}
		return nil
	}
}
