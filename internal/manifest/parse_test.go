package manifest_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// render shows a list with the lines of the source that it is about.
func render(list diag.List, source []byte) string {
	lines := strings.Split(string(source), "\n")
	return diag.Renderer{Source: func(_ string, line int) (string, bool) {
		if line > len(lines) {
			return "", false
		}
		return lines[line-1], true
	}}.String(list)
}

func TestDiagnostics(t *testing.T) {
	const corpus = "testdata/diagnostics.txtar"
	archive, err := txtar.ParseFile(corpus)
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files)%2 != 0 {
		t.Fatal("a file without its pair")
	}
	for pair := range slices.Chunk(archive.Files, 2) {
		name := strings.TrimSuffix(pair[0].Name, ".json")
		t.Run(name, func(t *testing.T) {
			if pair[1].Name != name+".want" {
				t.Fatalf("%s is followed by %s", pair[0].Name, pair[1].Name)
			}
			_, list := manifest.Parse("party.json", pair[0].Data)
			got := render(list, pair[0].Data)
			if *update {
				for i := range archive.Files {
					if archive.Files[i].Name == pair[1].Name {
						archive.Files[i].Data = []byte(got)
					}
				}
				return
			}
			if d := cmp.Diff(got, string(pair[1].Data)); d != "" {
				t.Errorf("diagnostics (-got +want):\n%s", d)
			}
		})
	}
	if *update {
		if err := os.WriteFile(corpus, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
