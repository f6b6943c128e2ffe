package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree returns all files below dir with their contents, and empty folders
// with a slash.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			entries, err := os.ReadDir(path)
			if len(entries) == 0 && rel != "." {
				files[filepath.ToSlash(rel)+"/"] = ""
			}
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func plan(dir string) *Plan {
	return &Plan{Dir: dir, Files: []File{
		{"a.txt", []byte("A")},
		{"public/b.txt", []byte("B")},
		{"public/deep/c.txt", []byte("C")},
	}}
}

func TestWrite(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "new", "project", "other.txt"), "mine")
	if err := plan(filepath.Join(root, "new", "project")).Write(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"new/project/a.txt": "A", "new/project/public/b.txt": "B", "new/project/public/deep/c.txt": "C",
		"new/project/other.txt": "mine",
	}
	if diff := cmp.Diff(tree(t, root), want); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestConflicts(t *testing.T) {
	tests := []struct {
		name   string
		exists map[string]string
		want   []string
	}{
		{"two files", map[string]string{"a.txt": "mine", "public/deep/c.txt": "mine"}, []string{"a.txt", "public/deep/c.txt"}},
		{"a file where a folder must be", map[string]string{"public": "mine"}, []string{"public (not a folder)"}},
		{"a folder where a file must be", map[string]string{"a.txt/x": "mine"}, []string{"a.txt"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for path, data := range tt.exists {
				write(t, filepath.Join(dir, path), data)
			}
			err := plan(dir).Write()
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				t.Fatalf("Write: %v, want a ConflictError", err)
			}
			var got []string
			for _, p := range conflict.Paths {
				got = append(got, filepath.ToSlash(p))
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("conflicts (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(tree(t, dir), tt.exists); diff != "" {
				t.Errorf("files afterwards (-got +want):\n%s", diff)
			}
		})
	}
}

func TestConflictWithTheFolderItself(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "project"), "mine")
	var conflict *ConflictError
	if err := plan(filepath.Join(dir, "project")).Write(); !errors.As(err, &conflict) {
		t.Errorf("Write into a file: %v, want a ConflictError", err)
	}
}

// What has been written is removed again when the rest cannot be.
func TestWriteUndoesItself(t *testing.T) {
	dir := t.TempDir()
	p := plan(filepath.Join(dir, "project"))
	p.Files = append(p.Files, File{"bad\x00name", nil})
	if err := p.Write(); err == nil {
		t.Fatal("Write with an impossible name: no error")
	}
	if diff := cmp.Diff(tree(t, dir), map[string]string{}); diff != "" {
		t.Errorf("files afterwards (-got +want):\n%s", diff)
	}
}
