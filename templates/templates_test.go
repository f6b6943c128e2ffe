package templates

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAllAreListed(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders, names []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	for _, tmpl := range All {
		names = append(names, tmpl.Name)
	}
	slices.Sort(names)
	if !slices.Equal(folders, names) {
		t.Errorf("the folders are %q, the templates %q", folders, names)
	}
}

func TestFiles(t *testing.T) {
	for _, tmpl := range All {
		for _, name := range []string{"party.json", "server.go", "server_test.go", "README.md", "party_gen.go", "party_embed_gen.go", "public/index.html"} {
			if _, err := fs.Stat(tmpl.Files(), name); err != nil {
				t.Errorf("template %s: %v", tmpl.Name, err)
			}
		}
		data, err := fs.ReadFile(tmpl.Files(), "party.json")
		if err != nil || !strings.Contains(string(data), `"name": "`+tmpl.Project+`"`) {
			t.Errorf("template %s: party.json does not name the project %q (%v)", tmpl.Name, tmpl.Project, err)
		}
		if found, ok := Find(tmpl.Name); !ok || found != tmpl {
			t.Errorf("Find(%q) = %+v, %v", tmpl.Name, found, ok)
		}
	}
	if _, ok := Find("nothing"); ok {
		t.Error(`Find("nothing") finds something`)
	}
}
