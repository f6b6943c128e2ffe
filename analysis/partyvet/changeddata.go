package partyvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/goparty-dev/party/internal/dataform"
)

// ChangedData finds persisted fields that cannot read what rooms have stored.
var ChangedData = &analysis.Analyzer{
	Name: "partychangeddata",
	Doc: `find persisted fields that have changed without a data migration

party_data_gen.go holds the forms in which the persisted fields of each version of a room type's data are
stored. A field that has another form now, or is gone, needs a //party:migrate of the next version.`,
	Run: runChangedData,
}

func runChangedData(pass *analysis.Pass) (any, error) {
	byType := make(map[string][]dataform.Record)
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				if r, ok := dataform.ParseRecord(c.Text); ok {
					byType[r.Type] = append(byType[r.Type], r)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		obj, ok := pass.Pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue // renamed or deleted: the generator knows which
		}
		s, ok := obj.Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		p := persisted{forms: make(map[string]dataform.Form), pos: make(map[string]token.Pos)}
		p.fields(s, nil)
		recorded := byType[name]
		wrong, _ := dataform.Compare(recorded, recorded[0].Party, name, dataVersion(pass, name), p.forms)
		for _, w := range wrong {
			pos, what := obj.Pos(), name
			if w.Field != "" {
				what = "field " + strconv.Quote(w.Field)
			}
			if at, ok := p.pos[w.Field]; ok && inPackage(pass, at) {
				pos = at
			}
			pass.Reportf(pos, "%s does not fit what rooms may have stored: %s: write a data migration", what, w.Text)
		}
	}
	return nil, nil
}

// persisted collects the persisted fields of a room type, by their names in the store.
type persisted struct {
	forms map[string]dataform.Form
	pos   map[string]token.Pos
}

func (p *persisted) fields(s *types.Struct, seen []types.Type) {
	for n := range s.NumFields() {
		field := s.Field(n)
		words := strings.Split(reflect.StructTag(s.Tag(n)).Get("party"), ",")
		if words[0] == "persist" {
			name := field.Name()
			for _, w := range words[1:] {
				name = strings.TrimPrefix(w, "name=")
			}
			p.forms[name], p.pos[name] = dataform.Of(field.Type()), field.Pos()
			continue
		}
		inner, ok := field.Type().Underlying().(*types.Struct)
		if field.Embedded() && ok && !runtimeType(field.Type(), "Room") && !slices.Contains(seen, field.Type()) {
			p.fields(inner, append(seen, field.Type()))
		}
	}
}

// dataVersion returns the newest version that a type's methods migrate to.
func dataVersion(pass *analysis.Pass, name string) int {
	newest := 1
	roomMethods(pass, func(fn *ast.FuncDecl, _ types.Object) {
		t := pass.TypesInfo.TypeOf(fn.Recv.List[0].Type)
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := types.Unalias(t).(*types.Named); !ok || named.Obj().Name() != name || fn.Doc == nil {
			return
		}
		for _, c := range fn.Doc.List {
			words := strings.Fields(c.Text)
			if len(words) < 2 || words[0] != "//party:migrate" {
				continue
			}
			if n, err := strconv.Atoi(words[1]); err == nil {
				newest = max(newest, n)
			}
		}
	})
	return newest
}

func inPackage(pass *analysis.Pass, pos token.Pos) bool {
	return slices.ContainsFunc(pass.Files, func(f *ast.File) bool { return f.FileStart <= pos && pos < f.FileEnd })
}
