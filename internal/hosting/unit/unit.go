// Package unit makes "party host" a service of systemd: it writes the unit and puts the program where the unit says.
// Starting it is up to systemctl.
package unit

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/goparty-dev/party/internal/durable"
)

// Where things go.
const (
	Name        = "party-host.service"
	ProgramPath = "/usr/local/bin/party"
	UnitPath    = "/etc/systemd/system/" + Name
)

//go:embed party-host.service
var text string

var unit = template.Must(template.New("").Parse(text))

// Options of an installation.
type Options struct {
	Root    string   // folder that stands for /, for images; default /
	Program string   // the file to install; "" leaves the program alone that is there
	Args    []string // of "party host serve"
	// Writable are folders that the host writes to, other than the unit's own ones.
	Writable []string
}

// Render returns the unit.
func Render(o Options) ([]byte, error) {
	words := append([]string{ProgramPath, "host", "serve"}, o.Args...)
	for n, w := range words {
		quoted, err := quote(w)
		if err != nil {
			return nil, err
		}
		words[n] = quoted
	}
	paths := slices.Clone(o.Writable)
	for n, p := range paths {
		quoted, err := quote(p)
		if err != nil {
			return nil, err
		}
		paths[n] = quoted
	}
	var b bytes.Buffer
	err := unit.Execute(&b, struct{ Command, Writable string }{strings.Join(words, " "), strings.Join(paths, " ")})
	return b.Bytes(), err
}

// quote writes a word as systemd reads it back: in quotes, without specifiers and variables.
func quote(word string) (string, error) {
	if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%q cannot stand in a unit", word)
	}
	word = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(word)
	if word == "" || strings.ContainsAny(word, " '\";") || strings.Contains(word, `\`) {
		word = `"` + word + `"`
	}
	return word, nil
}

// Change is a file that an installation has changed, or not.
type Change struct {
	Path    string `json:"path"`
	Changed bool   `json:"changed"`
}

// Install writes what is not there as it should be. Doing it again changes nothing.
func Install(o Options) ([]Change, error) {
	data, err := Render(o)
	if err != nil {
		return nil, err
	}
	var out []Change
	if o.Program != "" {
		path := filepath.Join(o.Root, ProgramPath)
		changed, err := installProgram(o.Program, path)
		if err != nil {
			return out, fmt.Errorf("install the program: %w", err)
		}
		out = append(out, Change{path, changed})
	}
	path := filepath.Join(o.Root, UnitPath)
	changed, err := write(path, bytes.NewReader(data), 0o644)
	if err != nil {
		return out, fmt.Errorf("install the unit: %w", err)
	}
	return append(out, Change{path, changed}), nil
}

func installProgram(from, to string) (changed bool, err error) {
	a, errA := os.Stat(from)
	b, errB := os.Stat(to)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return false, nil // it runs from there
	}
	in, err := os.Open(from)
	if err != nil {
		return false, err
	}
	defer in.Close()
	return write(to, in, 0o755)
}

// write replaces a file, unless it has these bytes and this mode. A program that runs is not written to.
func write(path string, r io.Reader, mode fs.FileMode) (changed bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm() == mode && info.Size() == int64(len(data)) {
		if is, err := os.ReadFile(path); err == nil && bytes.Equal(is, data) {
			return false, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, durable.WriteFile(path, data, mode)
}
