package bundle

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/goparty-dev/party/internal/diag"
)

// diagnostics turns what esbuild says into diagnostics.
func (b *Bundler) diagnostics(severity diag.Severity, messages []api.Message) diag.List {
	var list diag.List
	for _, m := range messages {
		d := diag.Diagnostic{Severity: severity, Pos: b.position(m.Location), Code: "bundle", Message: oneLine(m.Text)}
		var hints []string
		if m.Location != nil && m.Location.Suggestion != "" {
			hints = append(hints, "did you mean "+m.Location.Suggestion)
		}
		for _, n := range m.Notes {
			if n.Location != nil {
				d.Related = append(d.Related, diag.Related{Pos: b.position(n.Location), Message: oneLine(n.Text)})
			} else if n.Text != "" {
				hints = append(hints, oneLine(n.Text))
			}
		}
		d.Hint = strings.Join(hints, "\n")
		list = append(list, d)
	}
	return list
}

// position turns esbuild's place of a message into one of ours. What has none is about the manifest.
func (b *Bundler) position(l *api.Location) diag.Position {
	if l == nil || l.Namespace != "" && l.Namespace != "file" {
		return b.manifest.Pos("serve", "build")
	}
	file := filepath.FromSlash(l.File)
	if !filepath.IsAbs(file) {
		file = filepath.Join(b.dir, file)
	}
	return diag.Position{File: file, Line: l.Line, Column: l.Column + 1}
}

// oneLine makes a text of esbuild's a message of ours.
func oneLine(s string) string {
	s = strings.TrimSuffix(strings.Join(strings.Fields(s), " "), ".")
	// Names of things keep their capitals.
	if first, rest, _ := strings.Cut(s, " "); rest != "" && first[1:] == strings.ToLower(first[1:]) {
		s = strings.ToLower(first) + " " + rest
	}
	return s
}

// readInputs returns the files that went into a build, absolute and sorted.
func (b *Bundler) readInputs(metafile string) ([]string, error) {
	var meta struct {
		Inputs map[string]struct{} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, fmt.Errorf("read what esbuild has bundled: %w", err)
	}
	all := b.entries()
	for name := range meta.Inputs {
		// Others have a namespace in front, as in "(disabled):fs".
		if strings.Contains(name, ":") && filepath.VolumeName(name) == "" {
			continue
		}
		file := filepath.FromSlash(name)
		if !filepath.IsAbs(file) {
			file = filepath.Join(b.dir, file)
		}
		all = append(all, file)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// refuseInputs complains about output that would replace what it is made from.
func (b *Bundler) refuseInputs(list *diag.List, files []api.OutputFile) {
	for _, f := range files {
		if slices.Contains(b.inputs, f.Path) {
			d := list.Errorf(b.manifest.Pos("serve", "build", "outdir"), "overwrites-input", "the bundle would replace %s, which it is made from", filepath.Base(f.Path))
			d.Hint = "choose another \"outdir\""
		}
	}
}
