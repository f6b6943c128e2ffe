//go:build unix

package hosting

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Limits of uploads that were not deployed yet.
const (
	keepUploads = 24 * time.Hour
	maxUploads  = 4 // of one app; the oldest goes
)

// upload is where an upload with a hash is. Both names must have been checked.
func (l layout) upload(app, hash string) string { return filepath.Join(l.uploads(app), hash) }

// receive takes an upload, which must have a hash. It has its name when it is complete and right, and not before.
func (h *Host) receive(app, hash string, body io.Reader) (err error) {
	dir := h.layout.uploads(app)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := makeRoom(dir); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "tmp-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(tmp, sum), body)
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		err = problem(api.CodeTooLarge, fmt.Sprintf("the upload is larger than %d bytes", tooLong.Limit), "build with -s -w, or let the host allow more with --max-upload")
	} else if errors.Is(err, syscall.ENOSPC) {
		err = problem(api.CodeNoSpace, "the disk of the host is full", "")
	} else if err == nil && hex.EncodeToString(sum.Sum(nil)) != hash {
		err = problem(api.CodeWrongHash, fmt.Sprintf("the bytes have the hash %x, and not %s", sum.Sum(nil), hash), "put them again")
	}
	// Who may run it is decided by the folder that it is in.
	if err = errors.Join(err, tmp.Chmod(0o755), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(dir, hash))
}

// makeRoom removes the oldest uploads of an app until there is room for another.
func makeRoom(dir string) error {
	files, err := byAge(dir)
	if err != nil {
		return err
	}
	for n := 0; n <= len(files)-maxUploads; n++ {
		err = errors.Join(err, os.Remove(filepath.Join(dir, files[n].Name())))
	}
	return err
}

// byAge returns what is in a folder, oldest first.
func byAge(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // just gone
		}
		if err != nil {
			return nil, err
		}
		files = append(files, info)
	}
	slices.SortStableFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return files, nil
}

// cleanUploads removes what nobody has deployed in time, and what looks at programs have left.
func (h *Host) cleanUploads(now time.Time) {
	var err error
	for _, pattern := range []string{h.layout.upload("*", "*"), filepath.Join(h.layout.scratch(), "*")} {
		paths, globErr := filepath.Glob(pattern)
		err = errors.Join(err, globErr)
		for _, path := range paths {
			if info, statErr := os.Lstat(path); statErr == nil && now.Sub(info.ModTime()) > keepUploads {
				err = errors.Join(err, os.RemoveAll(path))
			}
		}
	}
	if err != nil {
		h.log.Warn("old uploads stay", "err", err)
	}
}
