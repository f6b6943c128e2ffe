// Package roomfile reads and writes one room's durable state as a file that can be carried to another
// store, looked at, and kept: lines of JSON, each a line of its own.
//
//	{"format":"party-room","version":1,"party":"chat","room":"lobby","alarm":"2026-11-21T10:00:00Z"}
//	{"key":"score","text":"42"}
//	{"key":"photo","base64":"/9j/"}
//	{"entries":2,"sha256":"…"}
//
// Values, and keys ("key64"), that are not valid UTF-8 stand in base64. The last line has the hash of all lines before it: a
// file without it is incomplete. What the runtime keeps beside a room's own entries, persisted fields and
// the version of its data, is in the file under keys that begin with the byte 0.
//
// The package knows no store and no platform.
package roomfile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goparty-dev/party/runtime/storage"
)

const (
	format  = "party-room"
	version = 1
	// maxLine is longer than any line can be: a value in base64 and a key whose bytes are all escaped.
	maxLine = storage.MaxValueBytes*6 + storage.MaxKeyBytes*6 + 1024
)

// ErrNotRoom says that a file is not what this package writes, or has been changed since.
var ErrNotRoom = errors.New("not the file of a room")

// Header says which room a file is of.
type Header struct {
	Room  storage.Room
	Alarm time.Time // zero for none
}

type headerLine struct {
	Format  string     `json:"format"`
	Version int        `json:"version"`
	Party   string     `json:"party"`
	Room    string     `json:"room"`
	Alarm   *time.Time `json:"alarm,omitempty"`
}

type entryLine struct {
	Key    *string `json:"key,omitempty"`
	Key64  []byte  `json:"key64,omitempty"`
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
}

type lastLine struct {
	Entries *int   `json:"entries"`
	SHA256  string `json:"sha256"`
}

// Writer writes a file.
type Writer struct {
	out *bufio.Writer
	sum hash.Hash
	n   int
}

// NewWriter begins a file.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	f := &Writer{out: bufio.NewWriter(w), sum: sha256.New()}
	line := headerLine{Format: format, Version: version, Party: h.Room.Party, Room: h.Room.Name}
	if !h.Alarm.IsZero() {
		at := h.Alarm.UTC()
		line.Alarm = &at
	}
	return f, f.line(line)
}

// Entry adds an entry.
func (w *Writer) Entry(e storage.Entry) error {
	var line entryLine
	if utf8.ValidString(e.Key) {
		line.Key = &e.Key
	} else {
		line.Key64 = []byte(e.Key)
	}
	if utf8.Valid(e.Value) {
		text := string(e.Value)
		line.Text = &text
	} else {
		line.Base64 = e.Value
	}
	w.n++
	return w.line(line)
}

// Close ends the file. It does not close what is written to.
func (w *Writer) Close() error {
	err := w.line(lastLine{Entries: &w.n, SHA256: hex.EncodeToString(w.sum.Sum(nil))})
	if err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write the file of a room: %w", err)
	}
	return nil
}

func (w *Writer) line(v any) error {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the file of a room: %w", err)
	}
	io.WriteString(w.sum, text.String()) // a hash takes everything
	if _, err := w.out.WriteString(text.String()); err != nil {
		return fmt.Errorf("write the file of a room: %w", err)
	}
	return nil
}

// Read reads a whole file and checks it. The error is [ErrNotRoom] if it is not complete and unchanged,
// or if a key or value is longer than stores take.
func Read(r io.Reader) (Header, []storage.Entry, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	sum := sha256.New()
	var h Header
	var entries []storage.Entry
	for n := 1; lines.Scan(); n++ {
		text := lines.Bytes()
		var err error
		switch {
		case n == 1:
			h, err = readHeader(text)
		case strings.HasPrefix(string(text[:min(len(text), 11)]), `{"entries":`):
			if err := readLast(text, len(entries), sum.Sum(nil)); err != nil {
				return h, nil, fmt.Errorf("%w: line %d: %w", ErrNotRoom, n, err)
			}
			if lines.Scan() {
				return h, nil, fmt.Errorf("%w: something follows its last line", ErrNotRoom)
			}
			return h, entries, unread(lines.Err())
		default:
			var e storage.Entry
			e, err = readEntry(text)
			if err == nil && len(entries) > 0 && e.Key <= entries[len(entries)-1].Key {
				err = errors.New("its key is not behind the one before")
			}
			entries = append(entries, e)
		}
		if err != nil {
			return h, nil, fmt.Errorf("%w: line %d: %w", ErrNotRoom, n, err)
		}
		sum.Write(text)
		sum.Write([]byte{'\n'})
	}
	if err := unread(lines.Err()); err != nil {
		return h, nil, err
	}
	return h, nil, fmt.Errorf("%w: it ends in the middle", ErrNotRoom)
}

func unread(err error) error {
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%w: a line is longer than any can be", ErrNotRoom)
	case err != nil:
		return fmt.Errorf("read the file of a room: %w", err)
	}
	return nil
}

// strict decodes JSON in which nothing unknown stands.
func strict(text []byte, v any) error {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one value")
	}
	return nil
}

func readHeader(text []byte) (Header, error) {
	var line headerLine
	if err := strict(text, &line); err != nil {
		return Header{}, err
	}
	if line.Format != format {
		return Header{}, fmt.Errorf("the format is %q, not %q", line.Format, format)
	}
	if line.Version != version {
		return Header{}, fmt.Errorf("version %d of the format; this program knows %d", line.Version, version)
	}
	h := Header{Room: storage.Room{Party: line.Party, Name: line.Room}}
	if line.Alarm != nil {
		h.Alarm = *line.Alarm
	}
	return h, nil
}

func readEntry(text []byte) (storage.Entry, error) {
	var line entryLine
	if err := strict(text, &line); err != nil {
		return storage.Entry{}, err
	}
	e := storage.Entry{Key: string(line.Key64), Value: line.Base64}
	if line.Key != nil {
		e.Key += *line.Key
	}
	if line.Text != nil {
		e.Value = append(e.Value, *line.Text...)
	}
	switch {
	case line.Key != nil && line.Key64 != nil || line.Text != nil && line.Base64 != nil:
		return e, errors.New("a key or a value stands there twice")
	case len(e.Key) == 0 || len(e.Key) > storage.MaxKeyBytes:
		return e, fmt.Errorf("the key has %d bytes, 1 to %d are possible", len(e.Key), storage.MaxKeyBytes)
	case len(e.Value) > storage.MaxValueBytes:
		return e, fmt.Errorf("the value has %d bytes, %d are possible", len(e.Value), storage.MaxValueBytes)
	}
	return e, nil
}

func readLast(text []byte, entries int, sum []byte) error {
	var line lastLine
	if err := strict(text, &line); err != nil {
		return err
	}
	if line.Entries == nil || *line.Entries != entries {
		return fmt.Errorf("there are %d entries before it", entries)
	}
	if line.SHA256 != hex.EncodeToString(sum) {
		return errors.New("the file has been changed: its hash is another")
	}
	return nil
}
