package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/diag"
)

// generate runs the generator on the project and writes nothing.
func (p *project) generate() (*generator.Result, error) {
	o, err := p.generatorOptions()
	if err != nil {
		return nil, err
	}
	res, err := generator.Generate(o)
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	return res, nil
}

// generateProgram is generate for a package that is to be run.
func (p *project) generateProgram() (*generator.Result, error) {
	res, err := p.generate()
	if err == nil {
		p.wantProgram(res.Model, &res.Diagnostics)
	}
	return res, err
}

// wantProgram adds a diagnostic if the package is none that can be run.
func (p *project) wantProgram(m *generator.Model, list *diag.List) {
	if m == nil || m.Package == "main" {
		return
	}
	d := list.Errorf(diag.Position{File: p.dir}, "not-main", "package %s is not a program", m.Package)
	d.Hint = "name the package main, or point \"main\" of party.json at the package that is"
}

// write shows what the generator had to say and brings its files up to date, unless there are errors.
func (s *streams) write(res *generator.Result) (generator.Written, error) {
	s.report(res.Diagnostics)
	if res.Diagnostics.HasErrors() {
		return generator.Written{}, errReported
	}
	w, err := res.Write()
	if err != nil {
		return w, fmt.Errorf("write generated code: %w", err)
	}
	return w, nil
}

// tell names the files that were written.
func (s *streams) tell(w generator.Written) {
	for _, path := range w.Changed {
		s.printf("Generated %s\n", shown(path))
	}
	for _, path := range w.Removed {
		s.printf("Removed %s\n", shown(path))
	}
}

// generatorOptions are what the generator has to know of the project.
func (p *project) generatorOptions() (generator.Options, error) {
	o := generator.Options{Dir: p.dir, File: p.file, Tags: buildTags()}
	if p.path == "" {
		return o, nil
	}
	m := p.manifest
	g := &generator.Manifest{
		Path:    p.path,
		Parties: make(map[string]generator.PartyEntry),
		Crons:   make(map[string]diag.Position),
	}
	for name, typ := range m.Parties {
		g.Parties[name] = generator.PartyEntry{Type: typ, Pos: m.Pos("parties", name)}
	}
	for name := range m.Crons {
		g.Crons[name] = m.KeyPos("crons", name)
	}
	if m.Client != "" {
		g.Client, g.ClientPos = m.Abs(m.Client), m.Pos("client")
	}
	if m.Serve.Path != "" {
		g.AssetsPos = m.Pos("serve", "path")
		// Both are absolute; on different volumes there is no relative path, and
		// the generator says of an absolute one what it says of any outside the package.
		g.Assets = m.Abs(m.Serve.Path)
		if rel, err := filepath.Rel(p.dir, g.Assets); err == nil {
			g.Assets = rel
		}
		g.Assets = filepath.ToSlash(g.Assets)
	}
	o.Manifest = g
	return o, p.recorded(g)
}

// recorded adds what the manifest has recorded. It is about the package that main names; the
// parties of another one are not to be mixed with them.
func (p *project) recorded(g *generator.Manifest) error {
	main := p.manifest.Abs(p.manifest.Main)
	if filepath.Ext(main) == ".go" {
		main = filepath.Dir(main)
	}
	if main != p.dir {
		return nil
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	g.Source, g.Migrations = data, p.manifest.Migrations
	for n := range g.Migrations {
		g.MigrationsPos = append(g.MigrationsPos, p.manifest.Pos("migrations", strconv.Itoa(n)))
	}
	return nil
}
