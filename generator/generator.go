package generator

import (
	"path/filepath"
	"slices"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// Options say what to generate for.
type Options struct {
	// Dir is the package's folder. Empty: the folder of File, or without one the working directory.
	Dir string
	// File is the Go file that the user named, if any: absolute, or relative to the
	// working directory. It stands for the whole package in Dir and has to be part of it.
	File string
	// Tags are the build tags of the user's build. party_host is not among them.
	Tags []string
	// Manifest is what the manifest says; nil when there is none.
	Manifest *Manifest
}

// Manifest is what generation needs of party.json. The positions are where
// diagnostics point to.
type Manifest struct {
	Path    string                   // the file, absolute or relative to the working directory
	Parties map[string]PartyEntry    // by party name; overrides the names in annotations
	Crons   map[string]diag.Position // by name
	// Assets is the folder of the static assets, slash-separated and relative
	// to the package's folder; empty: there are none.
	Assets    string
	AssetsPos diag.Position
	// Client is where the TypeScript module for clients goes, as Path is given; empty: there is none.
	Client    string
	ClientPos diag.Position
	// Source is the file's content, to which new parties are added. Nil: none are recorded.
	Source []byte
	// Migrations are those recorded so far. They name parties, not Go types: a type
	// may have another name as long as its party has the same.
	Migrations    []manifest.Migration
	MigrationsPos []diag.Position
}

// PartyEntry is one entry of the manifest's parties.
type PartyEntry struct {
	Type string // Go type name; for a type of another package behind the package's name or path and a dot
	Pos  diag.Position
}

// File is one generated file.
type File struct {
	Path string // in the folder of its package
	Data []byte
}

// Result is what one run found and made. It is plain data.
type Result struct {
	// Model is what the package means. Nil when its files could not be parsed.
	Model *Model
	// Files are to be there. None when Diagnostics has errors.
	Files []File
	// Manifest is the manifest with a migration for the parties that it does
	// not know yet; nil when it knows all.
	Manifest *File
	// Stale are files that an earlier run made and that are not to be there any more.
	Stale []string
	// Diagnostics are sorted and without repetitions.
	Diagnostics diag.List
	// Inputs are the Go files that were read, without those that are generated.
	// The result depends on them, on what other files are in the folders of the packages, on
	// Options, on which assets there are, and on which other packages have annotations, of those below Searched and those that are imported.
	Inputs []string
	// Searched is the folder that was searched for packages with annotations; empty: none was.
	Searched string

	basis basis
}

// Generate reads a package and returns what belongs to it. It writes nothing.
//
// A program, a package main, also serves the rooms of other packages of its module that have annotations and
// that it may import: of those in the project, which is the folder of the manifest, or of the program without
// one, and of those that they and the program import. A folder below with a party.json of its own is
// another project. Their files belong to the result.
//
// What is wrong with the user's files is in Result.Diagnostics; the error is
// for what keeps them from being read. It is safe for concurrent use.
func Generate(o Options) (*Result, error) { return generate(o, nil) }

func generate(o Options, files seenFiles) (*Result, error) {
	if o.Dir == "" {
		o.Dir = filepath.Dir(o.File)
	}
	res := new(Result)
	src, err := load(o, &res.Diagnostics)
	if err != nil {
		return nil, err
	}
	res.Inputs = src.inputs
	roots := []root{{src: src}}
	var left []string
	whole, where := !res.Diagnostics.HasErrors(), newLocator(o)
	if whole {
		roots[0].ann = scan(src, &res.Diagnostics)
	}
	if whole && src.name == "main" {
		s := &survey{opts: o, where: where, list: &res.Diagnostics, files: files}
		if err := s.packages(); err != nil {
			return nil, err
		}
		var more []root
		if more, whole, err = s.load(); err != nil {
			return nil, err
		}
		for _, r := range more {
			res.Inputs = append(res.Inputs, r.src.inputs...)
		}
		roots, left, res.Searched = append(roots, more...), s.stale, s.root
		res.basis.found, res.basis.stale = s.found, s.stale
	}
	if whole {
		programs := check(roots, where)
		text, err := outsideText(o)
		if err != nil {
			return nil, err
		}
		res.Model = newModel(programs, o, text, &res.Diagnostics)
		res.Inputs = programs[0].inputs()
		res.basis.where, res.basis.lost = where, programs[0].lost
		for path, u := range programs[0].units {
			if path == "" || !where.standard(path) {
				res.basis.sources = append(res.basis.sources, u.src)
			}
		}
		if err := res.record(o.Manifest); err != nil {
			return nil, err
		}
		if e := res.Model.Embed; e != nil && e.Text != "" && res.Manifest != nil {
			e.Text = string(res.Manifest.Data)
		}
		if err := res.addClient(o.Manifest); err != nil {
			return nil, err
		}
	}
	if !res.Diagnostics.HasErrors() {
		if res.Files, err = render(res.Model); err != nil {
			return nil, err
		}
		if res.Model.Client != nil {
			res.Files = append(res.Files, File{Path: o.Manifest.Client, Data: printClient(res.Model.Client)})
		}
		res.Stale = append(stale(roots, res.Files), left...)
	}
	res.Diagnostics = res.Diagnostics.Sorted()
	return res, nil
}

// stale returns those of our files in the packages' folders that are not among files.
func stale(roots []root, files []File) []string {
	var paths []string
	for _, r := range roots {
		for _, name := range r.src.ours {
			path := filepath.Join(r.src.dir, name)
			if !slices.ContainsFunc(files, func(f File) bool { return f.Path == path }) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}
