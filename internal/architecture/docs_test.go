package architecture

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// block is one fenced block of a document.
type block struct {
	file     string
	line     int
	language string
	text     string
}

func blocks(t *testing.T, files ...string) []block {
	t.Helper()
	var out []block
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		var open *block
		for n, line := range strings.Split(string(data), "\n") {
			fence, isFence := strings.CutPrefix(line, "```")
			switch {
			case isFence && open == nil:
				open = &block{file: file, line: n + 1, language: fence}
			case isFence:
				out = append(out, *open)
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
	}
	return out
}

func documents(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md", "CONTRIBUTING.md"}
	more, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range more {
		out = append(out, filepath.Join("docs", filepath.Base(f)))
	}
	return out
}

// TestProgramsInDocumentsCompile vets every Go block that is a whole file.
func TestProgramsInDocumentsCompile(t *testing.T) {
	dir, err := os.MkdirTemp(root, "_docs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var packages []string
	for n, b := range blocks(t, documents(t)...) {
		if b.language != "go" {
			continue
		}
		if !strings.HasPrefix(b.text, "package ") {
			t.Errorf("%s:%d: a Go block that is not a whole file cannot be compiled", b.file, b.line)
			continue
		}
		name := fmt.Sprintf("block%d", n)
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		// go vet wants a main function in package main; rooms get theirs from the generator.
		text := b.text
		file := "block.go"
		if strings.HasSuffix(strings.TrimSpace(firstLine(text)), "_test") {
			file = "block_test.go"
		} else if !strings.Contains(text, "func main()") {
			text = strings.Replace(text, "package main\n", "package example\n", 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, "./"+filepath.Base(dir)+"/"+name)
	}
	if len(packages) == 0 {
		t.Fatal("no Go blocks found")
	}
	cmd := exec.Command("go", append([]string{"vet"}, packages...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go vet of the programs in the documents: %v\n%s", err, out)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// TestCommandsInDocumentsAreTested wants each command of a console block in a
// script that runs it: a testscript, the end-to-end tests or .ci/run.
func TestCommandsInDocumentsAreTested(t *testing.T) {
	scripts := testedScripts(t)
	for _, b := range blocks(t, documents(t)...) {
		if b.language != "console" || b.file == "README.md" { // e2e/tests/readme.test.js runs those
			continue
		}
		for _, line := range strings.Split(b.text, "\n") {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok || command == "" {
				continue
			}
			if !strings.Contains(scripts, normal(command)) {
				t.Errorf("%s:%d: no test runs %q", b.file, b.line, command)
			}
		}
	}
}

var blank = regexp.MustCompile(`\s+`)

// normal folds what differs between a shell and a script.
func normal(s string) string { return blank.ReplaceAllString(strings.TrimSpace(s), " ") }

func testedScripts(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	add := func(path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(normal(string(data)))
		out.WriteString(" \n")
	}
	add(filepath.Join(root, ".ci", "run"))
	err := filepath.WalkDir(filepath.Join(root, "cmd"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".txtar") {
			add(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
