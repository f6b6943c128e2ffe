package main

import (
	"fmt"
	"os"
	"strings"
)

// source is the scaffold's server.go, changed so that its answers tell which
// version of it is running.
type source struct {
	file  string
	head  string // the file without its version
	edits int
}

const (
	// What OnMessage takes from a frame, in the chat template.
	messageText = "strings.TrimSpace(msg.Text())"

	versionCode = `
const benchVersion = %q

// OnRequest tells the version.
func (c *Chat) OnRequest(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, benchVersion) }
`
)

// newSource changes the file for the first time.
func newSource(file string) (*source, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	head, err := instrument(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s := &source{file: file, head: head}
	return s, os.WriteFile(file, s.version(0), 0o644)
}

// instrument makes the chat template answer with a version that is still to be added.
func instrument(code string) (string, error) {
	if strings.Count(code, messageText) != 1 {
		return "", fmt.Errorf("the chat template has changed: %s is not there once", messageText)
	}
	return strings.Replace(code, messageText, messageText+` + " " + benchVersion`, 1), nil
}

func name(edit int) string { return fmt.Sprintf("version-%d", edit) }

func (s *source) version(edit int) []byte {
	return []byte(s.head + fmt.Sprintf(versionCode, name(edit)))
}

// next returns the next version's name and text.
func (s *source) next() (string, []byte) {
	s.edits++
	return name(s.edits), s.version(s.edits)
}
