package generator_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/protocol"
)

// TestProtocolChanges compares the packages in old/ and new/ of each case. The file want has
// the changes as they are printed.
func TestProtocolChanges(t *testing.T) {
	paths, err := filepath.Glob("testdata/protocol/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			root, want := t.TempDir(), ""
			kept := txtar.Archive{Comment: archive.Comment}
			for _, f := range archive.Files {
				if f.Name == "want" {
					want = string(f.Data)
					continue
				}
				write(t, filepath.Join(root, f.Name), f.Data)
				kept.Files = append(kept.Files, f)
			}
			read := func(side string) *protocol.Protocol {
				p := generate(t, generator.Options{Dir: filepath.Join(root, side)}).Model.Protocol()
				p.Rename(func(file string) string { rel, _ := filepath.Rel(root, file); return filepath.ToSlash(rel) })
				return p
			}
			got := ""
			for _, c := range protocol.Compare(read("old"), read("new")) {
				got += c.String() + "\n"
			}
			if *update {
				kept.Files = append(kept.Files, txtar.File{Name: "want", Data: []byte(got)})
				write(t, path, txtar.Format(&kept))
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("changes (-want +got, -update accepts it):\n%s", d)
			}
			// What is compared with itself has not changed.
			for _, side := range []string{"old", "new"} {
				if changes := protocol.Compare(read(side), read(side)); len(changes) > 0 {
					t.Errorf("%s differs from itself: %v", side, changes)
				}
			}
		})
	}
}
