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
	Type string // Go type name
	Pos  diag.Position
}

// File is one generated file.
type File struct {
	Path string // in the package's folder
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
	// The result depends on them, on what other files are in the package's folder, on
	// Options, and on which assets there are.
	Inputs []string
}

// Generate reads a package and returns what belongs to it. It writes nothing.
//
// What is wrong with the user's files is in Result.Diagnostics; the error is
// for what keeps them from being read. It is safe for concurrent use.
func Generate(o Options) (*Result, error) {
	if o.Dir == "" {
		o.Dir = filepath.Dir(o.File)
	}
	res := new(Result)
	src, err := load(o, &res.Diagnostics)
	if err != nil {
		return nil, err
	}
	res.Inputs = src.inputs
	if !res.Diagnostics.HasErrors() {
		ann := scan(src, &res.Diagnostics)
		prog := check(src, ann, newLocator(o))
		res.Model = newModel(prog, ann, o, &res.Diagnostics)
		res.Inputs = append(res.Inputs, prog.inputs()...)
		if err := res.record(o.Manifest); err != nil {
			return nil, err
		}
		if err := res.addClient(o.Manifest); err != nil {
			return nil, err
		}
	}
	if !res.Diagnostics.HasErrors() {
		if res.Files, err = render(res.Model, o.Dir); err != nil {
			return nil, err
		}
		if res.Model.Client != nil {
			res.Files = append(res.Files, File{Path: o.Manifest.Client, Data: printClient(res.Model.Client)})
		}
		res.Stale = stale(src, res.Files)
	}
	res.Diagnostics = res.Diagnostics.Sorted()
	return res, nil
}

// stale returns those of our files in the package's folder that are not among files.
func stale(src *sources, files []File) []string {
	var paths []string
	for _, name := range src.ours {
		path := filepath.Join(src.dir, name)
		if !slices.ContainsFunc(files, func(f File) bool { return f.Path == path }) {
			paths = append(paths, path)
		}
	}
	return paths
}
