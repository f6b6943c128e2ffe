package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The template is not ours: when it changes, the benchmark has to follow.
func TestSourceOfTemplate(t *testing.T) {
	code, err := os.ReadFile("../templates/chat/server.go")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.go")
	if err := os.WriteFile(file, code, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := newSource(file)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	version, second := s.next()
	if version == name(0) || !strings.Contains(string(second), `"`+version+`"`) {
		t.Errorf("next version %q is not in its source", version)
	}
	for _, text := range [][]byte{first, second} {
		if _, err := parser.ParseFile(token.NewFileSet(), "server.go", text, 0); err != nil {
			t.Error(err)
		}
	}
	if len(first) != len(second) || string(first) == string(second) {
		t.Errorf("versions differ by more or less than their names: %d and %d bytes", len(first), len(second))
	}
}

func TestInstrumentOther(t *testing.T) {
	if _, err := instrument("package main"); err == nil {
		t.Error("instrument(another program) = nil error")
	}
}
