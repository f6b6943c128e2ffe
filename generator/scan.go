package generator

import (
	"go/ast"
	"go/token"

	"github.com/goparty-dev/party/internal/diag"
)

// annotated are the declarations that carry annotations, in the order of the source.
type annotated struct {
	rooms     []roomDecl
	functions []funcDecl
	methods   []methodDecl
	events    []roomDecl
}

// marked is a directive and where it stands.
type marked struct {
	directive
	pos token.Pos
}

// at returns the place of a word of the annotation.
func (m marked) at(w word) token.Pos { return m.pos + token.Pos(w.offset) }

type roomDecl struct {
	marked
	spec *ast.TypeSpec
	file *ast.File
}

type funcDecl struct {
	marked
	decl *ast.FuncDecl
	file *ast.File
}

// methodDecl is an annotated method.
type methodDecl funcDecl

// commentScanner ties the comments of one file to its declarations.
type commentScanner struct {
	src  *sources
	file *ast.File
	seen map[*ast.CommentGroup]bool
	out  *annotated
	list *diag.List
}

func scan(src *sources, list *diag.List) *annotated {
	out := new(annotated)
	for _, f := range src.files {
		s := &commentScanner{src: src, file: f, seen: make(map[*ast.CommentGroup]bool), out: out, list: list}
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				s.function(decl)
			case *ast.GenDecl:
				s.general(decl)
			}
		}
		s.floating()
	}
	return out
}

// directives reads the annotations of a doc comment. It takes .List: .Text() drops directives.
func (s *commentScanner) directives(doc *ast.CommentGroup) []marked {
	if doc == nil {
		return nil
	}
	s.seen[doc] = true
	var found []marked
	for _, c := range doc.List {
		if verb, ok := spacedVerb(c.Text); ok {
			d := s.list.Warnf(s.src.pos(c.Pos()), "spaced-annotation", "this is a comment and no annotation")
			d.Hint = "for the annotation write " + prefix + verb + ", without a space"
		}
		if !isDirective(c.Text) {
			continue
		}
		d, problems := parseDirective(c.Text)
		for _, p := range problems {
			s.list.Errorf(s.src.pos(c.Pos()+token.Pos(p.offset)), p.code, "%s", p.message).Hint = p.hint
		}
		// A room with a mistake in its options is still a room, to which others
		// refer. Of a function it is not known what it is for.
		if d.of == nil || len(problems) > 0 && d.of.on != onStruct {
			continue
		}
		if first, ok := repeated(found, d); ok {
			dup := s.list.Errorf(s.src.pos(c.Pos()), "duplicate-annotation", "the declaration is annotated with %s%s twice", prefix, d.of.verb)
			dup.Related = []diag.Related{{Pos: s.src.pos(first.pos), Message: "the first one"}}
			continue
		}
		found = append(found, marked{d, c.Pos()})
	}
	return found
}

// repeated finds an annotation that says the same: one function may serve several
// parties or crons, by one annotation for each.
func repeated(found []marked, d directive) (marked, bool) {
	for _, f := range found {
		if f.of == d.of && f.operand.text == d.operand.text {
			return f, true
		}
	}
	return marked{}, false
}

func (s *commentScanner) function(decl *ast.FuncDecl) {
	for _, m := range s.directives(decl.Doc) {
		switch {
		case m.of.on == onMethod && decl.Recv != nil && decl.Name.Name != "_":
			s.out.methods = append(s.out.methods, methodDecl{m, decl, s.file})
		case m.of.on != onFunc:
			s.misplaced(m, "a function")
		case decl.Recv != nil:
			s.misplaced(m, "a method")
		case decl.Type.TypeParams != nil:
			s.misplaced(m, "a generic function")
		case decl.Name.Name == "_":
			s.misplaced(m, "a function without a name")
		default:
			s.out.functions = append(s.out.functions, funcDecl{m, decl, s.file})
		}
	}
}

func (s *commentScanner) general(decl *ast.GenDecl) {
	single := decl.Tok == token.TYPE && !decl.Lparen.IsValid()
	for _, m := range s.directives(decl.Doc) {
		if single {
			s.typeSpec(m, decl.Specs[0].(*ast.TypeSpec))
			continue
		}
		what := map[token.Token]string{token.TYPE: "a group of types", token.VAR: "a variable", token.CONST: "a constant", token.IMPORT: "an import"}[decl.Tok]
		s.misplaced(m, what)
	}
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			for _, m := range s.directives(spec.Doc) {
				s.typeSpec(m, spec)
			}
		case *ast.ValueSpec:
			for _, m := range s.directives(spec.Doc) {
				s.misplaced(m, "a variable or constant")
			}
		case *ast.ImportSpec:
			for _, m := range s.directives(spec.Doc) {
				s.misplaced(m, "an import")
			}
		}
	}
}

func (s *commentScanner) typeSpec(m marked, spec *ast.TypeSpec) {
	switch {
	case m.of.on != onStruct:
		s.misplaced(m, "a type")
	case spec.Assign.IsValid():
		s.misplaced(m, "a type alias")
	case spec.Name.Name == "_":
		s.misplaced(m, "a type without a name")
	case m.of.verb == verbEvent && spec.TypeParams != nil:
		s.misplaced(m, "a generic type")
	case m.of.verb == verbEvent:
		s.out.events = append(s.out.events, roomDecl{m, spec, s.file})
	case spec.TypeParams != nil:
		d := s.list.Errorf(s.src.pos(spec.TypeParams.Pos()), "generic-room", "room type %s has type parameters", spec.Name.Name)
		d.Hint = "make a type of a concrete one and annotate that, or embed the generic type in a room type"
	default:
		s.out.rooms = append(s.out.rooms, roomDecl{m, spec, s.file})
	}
}

// misplaced reports an annotation on a declaration of the wrong kind.
func (s *commentScanner) misplaced(m marked, on string) {
	code, want := "not-a-struct", "a struct type"
	switch m.of.on {
	case onFunc:
		code, want = "not-a-function", "a function"
	case onMethod:
		code, want = "not-a-method", "a method of a room type"
	}
	d := s.list.Errorf(s.src.pos(m.pos), code, "%s%s belongs above %s and stands above %s", prefix, m.of.verb, want, on)
	switch {
	case on == "a group of types":
		d.Hint = "move it into the group, above the one type that it is meant for"
	case m.of.on != onStruct:
		d.Hint = m.of.signature + m.of.shape
	case m.of.verb == verbRoom:
		d.Hint = exampleRoom
	}
}

// floating reports the annotations in comments that belong to no declaration.
func (s *commentScanner) floating() {
	for _, group := range s.file.Comments {
		if s.seen[group] {
			continue
		}
		for _, c := range group.List {
			if !isDirective(c.Text) {
				continue
			}
			d := s.list.Errorf(s.src.pos(c.Pos()), "floating-annotation", "the annotation belongs to no declaration")
			d.Hint = "it stands directly above a type or function at the top level of the file, without an empty line between them"
		}
	}
}

// exampleRoom shows what a room type looks like.
const exampleRoom = "//party:room\ntype Chat struct {\n\tparty.Room\n}"
