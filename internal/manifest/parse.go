package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
)

const (
	maxBytes = 1 << 20 // of a manifest
	maxDepth = 100     // of values inside values
)

// Load reads and parses a manifest. A file that cannot be read is a
// diagnostic as well; otherwise it is as Parse.
func Load(path string) (*Manifest, diag.List) {
	data, err := os.ReadFile(path)
	if err == nil {
		return Parse(path, data)
	}
	m, _ := Parse(path, []byte("{}"))
	var list diag.List
	list.Errorf(diag.Position{File: path}, "unreadable", "cannot read the manifest: %v", reason(err))
	return m, list
}

// Parse checks a manifest and returns all that is wrong with it, sorted. The
// manifest is never nil: what is wrong or not there has its default. path is
// the file for positions and relative paths; it is not opened. data is not
// kept.
func Parse(path string, data []byte) (*Manifest, diag.List) {
	r := newReader(path, data)
	normal := r.manifest(data)
	m := decode(normal)
	m.Path, m.places = path, r.places
	return m, r.list.Sorted()
}

// manifest returns the normal form of all of the file.
func (r *reader) manifest(data []byte) map[string]any {
	if v, ok := r.syntax(data); ok {
		r.places[joinPath(nil)] = place{value: r.pos(v.StartOffset)}
		if n, ok := r.value(root, nil, &v); ok {
			return n.(map[string]any)
		}
	}
	return root.filled(map[string]any{})
}

// decode reads a normal form, which always fits.
func decode(normal map[string]any) *Manifest {
	limits := DefaultLimits()
	wire := struct {
		*Manifest
		Limits struct {
			*Limits
			IdleSeconds float64 `json:"idleSeconds"`
		} `json:"limits"`
	}{Manifest: new(Manifest)}
	wire.Limits.Limits, wire.Limits.IdleSeconds = &limits, limits.Idle.Seconds()

	data, err := json.Marshal(normal)
	if err != nil {
		panic(fmt.Sprintf("manifest: encode the normal form: %v", err))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&wire); err != nil {
		panic(fmt.Sprintf("manifest: decode the normal form: %v", err))
	}

	m := wire.Manifest
	limits.Idle = time.Duration(wire.Limits.IdleSeconds * float64(time.Second))
	m.Limits = limits
	if m.Build.Cwd == "" {
		m.Build.Cwd = "."
	}
	if b := m.Serve.Build; b != nil && b.Outdir == "" {
		b.Outdir = path.Join(m.Serve.Path, "dist")
	}
	return m
}

// syntax parses the file as JSON with comments. False means that it was
// reported why that is not possible.
func (r *reader) syntax(data []byte) (v hujson.Value, ok bool) {
	fail := func(offset int, hint, format string, args ...any) (hujson.Value, bool) {
		r.list.Errorf(r.pos(offset), "syntax", format, args...).Hint = hint
		return hujson.Value{}, false
	}
	if len(data) > maxBytes {
		return fail(maxBytes, "", "the manifest is larger than %d bytes", maxBytes)
	}
	if !utf8.Valid(data) {
		offset := 0
		for len(data[offset:]) > 0 {
			c, n := utf8.DecodeRune(data[offset:])
			if c == utf8.RuneError && n == 1 {
				break
			}
			offset += n
		}
		return fail(offset, "save the file as UTF-8", "this is not UTF-8")
	}
	if offset, ok := depth(data, maxDepth); !ok {
		return fail(offset, "", "values are nested more than %d deep", maxDepth)
	}

	// A comment needs a line end, which the last line may lack; and editors
	// of some systems begin a file with a byte order mark.
	text := append(bytes.Clone(data), '\n')
	if bom := []byte("\ufeff"); bytes.HasPrefix(text, bom) {
		copy(text, "   ")
	}
	v, err := hujson.Parse(text)
	if err == nil {
		return v, true
	}
	if v.Value == nil && errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "comment") {
		return fail(0, "the smallest manifest is {}", "the manifest is empty")
	}
	var line, column int
	if n, _ := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &line, &column); n != 2 {
		panic(fmt.Sprintf("manifest: no position in %q", err))
	}
	offset := len(data)
	if line <= len(r.starts) {
		offset = min(r.starts[line-1]+column-1, offset)
	}
	message, hint := explain(errors.Unwrap(err).Error(), text[offset:])
	return fail(offset, hint, "%s", message)
}

// explain says in the words of this package what hujson found at text. Its own
// messages can be as long as the file.
func explain(message string, text []byte) (string, string) {
	const quotes = "keys and strings are written in double quotes"
	switch {
	case strings.Contains(message, "parsing comment"):
		return "this comment is not closed", ""
	case strings.Contains(message, "unexpected EOF"):
		return "the file ends too early", "a quote, brace or bracket is not closed"
	case strings.HasPrefix(message, "invalid literal") && text[0] == '"':
		return "this string is not closed, or has an invalid escape", ""
	case strings.HasPrefix(message, "invalid literal"):
		return "this is no JSON value", quotes
	case text[0] == '\'':
		return message, quotes
	case text[0] == '"' && strings.Contains(message, "expecting ','"):
		return "a comma is missing before this", ""
	default:
		return message, ""
	}
}
