package generator

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// program is a package with its types, as far as they matter here.
//
// Function bodies are not checked, and imported packages are empty, except for
// those that the contract consists of. Only when a room type embeds something of
// another package, or a signature that matters mentions it, that package is read too.
type program struct {
	*universe
	src  *sources
	path string // of the package; empty for the one that was asked for
	own  *unit
	ann  *annotated
}

// universe is what the packages of one run share: a type that two of them mention is one type.
type universe struct {
	units map[string]*unit // by import path; the package that was asked for under ""
	where *locator
	lost  bool                // a package that matters could not be found or parsed
	told  map[*types.Var]bool // fields about which there has been a warning
}

// root is a package to be checked.
type root struct {
	path string
	src  *sources
	ann  *annotated
}

// unit is one package that was read from source.
type unit struct {
	path  string
	src   *sources
	pkg   *types.Package
	info  *types.Info
	types map[types.Object]typeDecl
	// methods are those that each type declares, by the type's name.
	methods map[string][]*ast.FuncDecl
	files   map[*ast.FuncDecl]*ast.File
}

type typeDecl struct {
	spec *ast.TypeSpec
	file *ast.File
}

// maxRounds bounds how far embedded types are followed through other packages.
const maxRounds = 8

// check type-checks packages together, the one that was asked for first.
func check(roots []root, where *locator) []*program {
	loaded := make(map[string]*sources)
	for _, r := range roots[1:] {
		loaded[r.path] = r.src
	}
	for round := 0; ; round++ {
		all := &universe{units: make(map[string]*unit), where: where, told: make(map[*types.Var]bool)}
		im := &importer{universe: all, loaded: loaded}
		var programs []*program
		var missing []string
		for _, r := range roots {
			p := &program{universe: all, src: r.src, path: r.path, ann: r.ann, own: im.unit(r.path, r.src)}
			programs = append(programs, p)
			missing = append(missing, p.missing(r.ann, loaded)...)
		}
		if len(missing) == 0 || round == maxRounds {
			for path, src := range loaded {
				all.lost = all.lost || src == nil && !where.standard(path)
			}
			return programs
		}
		slices.Sort(missing)
		missing = slices.Compact(missing)
		dirs := where.find(missing)
		for _, path := range missing {
			loaded[path] = all.load(dirs[path])
		}
	}
}

// typeString writes types of the package itself without its name.
func (p *program) typeString(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == p.own.pkg {
			return ""
		}
		return pkg.Name()
	})
}

// load reads a package that turned out to matter. It returns nil for one that
// cannot be found or parsed; go build will say so.
func (u *universe) load(dir string) *sources {
	if dir == "" {
		return nil
	}
	var list diag.List
	src, err := load(Options{Dir: dir, Tags: u.where.tags}, &list)
	if err != nil || list.HasErrors() {
		return nil
	}
	return src
}

// inputs returns the files that were read, those of the package that was asked for first.
func (u *universe) inputs() []string {
	var files []string
	for path, other := range u.units {
		if path != "" && !u.where.standard(path) { // that does not change
			files = append(files, other.src.inputs...)
		}
	}
	slices.Sort(files)
	return append(slices.Clone(u.units[""].src.inputs), files...)
}

// isStandard reports whether a type is declared in the standard library.
func (u *universe) isStandard(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	path := ""
	if ok {
		path = packagePath(named)
	}
	return path != "" && u.where.standard(path)
}

// unitOf returns the unit that declares obj, if it was read from source.
func (u *universe) unitOf(obj types.Object) *unit {
	if obj == nil || obj.Pkg() == nil {
		return nil
	}
	return u.units[obj.Pkg().Path()]
}

// importer resolves imports from the contract, from what was loaded, or with an empty package.
type importer struct {
	*universe
	loaded map[string]*sources
}

// Import implements types.Importer. It never fails.
func (im *importer) Import(path string) (*types.Package, error) {
	if pkg := theContract().packages[path]; pkg != nil {
		return pkg, nil
	}
	if u := im.units[path]; u != nil {
		return u.pkg, nil
	}
	if src := im.loaded[path]; src != nil {
		return im.unit(path, src).pkg, nil
	}
	return emptyPackage(path), nil
}

// unit returns the unit of a package, which it checks the first time.
func (im *importer) unit(path string, src *sources) *unit {
	if u := im.units[path]; u != nil {
		return u
	}
	// A cycle would come back here; go build reports it.
	im.units[path] = &unit{path: path, src: src, pkg: emptyPackage(path), info: new(types.Info)}
	u := im.check(path, src)
	im.units[path] = u
	return u
}

func emptyPackage(path string) *types.Package {
	pkg := types.NewPackage(path, packageName(path))
	pkg.MarkComplete()
	return pkg
}

var versionElement = regexp.MustCompile(`^v[0-9]+$`)

// packageName guesses the name of a package from its path.
func packageName(p string) string {
	base := path.Base(p)
	if versionElement.MatchString(base) && path.Dir(p) != "." {
		base = path.Base(path.Dir(p))
	}
	base, _, _ = strings.Cut(base, ".") // gopkg.in/yaml.v3
	base = strings.TrimPrefix(base, "go-")
	base = strings.ReplaceAll(base, "-", "_")
	if !token.IsIdentifier(base) {
		return "unknown"
	}
	return base
}

func (im *importer) check(path string, src *sources) *unit {
	u := &unit{
		path: path, src: src,
		info:    &types.Info{Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)},
		types:   make(map[types.Object]typeDecl),
		methods: make(map[string][]*ast.FuncDecl),
		files:   make(map[*ast.FuncDecl]*ast.File),
	}
	conf := types.Config{
		Importer:                 im,
		IgnoreFuncBodies:         true,
		FakeImportC:              true,
		DisableUnusedImportCheck: true,
		Error:                    func(error) {}, // go build reports them
	}
	u.pkg, _ = conf.Check(path, src.fset, src.files, u.info)
	for _, f := range src.files {
		for _, decl := range f.Decls {
			u.index(f, decl)
		}
	}
	return u
}

func (u *unit) index(f *ast.File, decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv != nil && len(decl.Recv.List) == 1 {
			u.files[decl] = f
			name := receiverName(decl.Recv.List[0].Type)
			u.methods[name] = append(u.methods[name], decl)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok && u.info.Defs[spec.Name] != nil {
				u.types[u.info.Defs[spec.Name]] = typeDecl{spec, f}
			}
		}
	}
}

// receiverName returns the name of a receiver's type, without pointer and type parameters.
func receiverName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// fileOf returns the unit that declares obj and the file that it stands in.
func (u *universe) fileOf(obj types.Object) (*unit, *ast.File) {
	of := u.unitOf(obj)
	if of == nil {
		return nil, nil
	}
	for _, f := range of.src.files {
		if f.FileStart <= obj.Pos() && obj.Pos() < f.FileEnd {
			return of, f
		}
	}
	return of, nil
}

// pos returns where obj is declared; no place at all if that was not read.
func (u *universe) pos(obj types.Object) diag.Position {
	if of := u.unitOf(obj); of != nil {
		return of.src.pos(obj.Pos())
	}
	return diag.Position{}
}
