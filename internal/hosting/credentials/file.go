package credentials

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/goparty-dev/party/internal/durable"
)

// File is where tokens are kept. Its methods may be called by several programs at once: each
// change replaces the file whole, and of two at the same moment one is lost.
type File struct{ path string }

// At is the file at a path. It need not exist.
func At(path string) *File { return &File{path} }

// Default is the user's file: party/credentials.json below os.UserConfigDir.
func Default() (*File, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("find the folder of the credentials: %w", err)
	}
	return At(filepath.Join(dir, "party", "credentials.json")), nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// content is what is in the file.
type content struct {
	// Current is the host that commands speak to unless told otherwise.
	Current string           `json:"current,omitempty"`
	Hosts   map[string]entry `json:"hosts"`
}

type entry struct {
	Token string `json:"token"`
}

// Set keeps a token for the host at an address in its normal form, and makes that the current host.
func (f *File) Set(address string, token Secret) error {
	c, err := f.read()
	if err != nil {
		return err
	}
	c.Current, c.Hosts[address] = address, entry{token.Reveal()}
	return f.write(c)
}

// Delete forgets a host, and reports whether it was known. Of what remains the first in order of
// the alphabet is the current host, if the current one is gone.
func (f *File) Delete(address string) (known bool, err error) {
	c, err := f.read()
	if err != nil {
		return false, err
	}
	if _, known = c.Hosts[address]; !known {
		return false, nil
	}
	delete(c.Hosts, address)
	if c.Current == address {
		c.Current = ""
		if rest := slices.Sorted(maps.Keys(c.Hosts)); len(rest) > 0 {
			c.Current = rest[0]
		}
	}
	return true, f.write(c)
}

// Hosts returns the current host, "" if there is none, and all that are known, sorted.
func (f *File) Hosts() (current string, all []string, err error) {
	c, err := f.read()
	if err != nil {
		return "", nil, err
	}
	return c.Current, slices.Sorted(maps.Keys(c.Hosts)), nil
}

// Token returns the token of a host; an empty one if none is known.
func (f *File) Token(address string) (Secret, error) {
	c, err := f.read()
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(c.Hosts[address].Token), nil
}

func (f *File) read() (content, error) {
	c := content{Hosts: make(map[string]entry)}
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the credentials: %w", err)
	}
	// Windows keeps rights elsewhere; a file in the user's profile is the user's.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return c, fmt.Errorf("others may read the tokens in %s (its mode is %04o): run \"chmod 600 %[1]s\", and make new tokens if somebody did", f.path, info.Mode().Perm())
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return c, fmt.Errorf("read the credentials: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		// Without the cause, which may quote what is in the file.
		return c, fmt.Errorf("the credentials in %s are not JSON: remove the file and run \"party login\"", f.path)
	}
	if c.Hosts == nil {
		c.Hosts = make(map[string]entry)
	}
	return c, nil
}

func (f *File) write(c content) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep the credentials: %w", err)
		}
	}()
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(f.path, append(data, '\n'), 0o600)
}
