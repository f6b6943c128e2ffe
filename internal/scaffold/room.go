package scaffold

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

// RoomOptions describe a new room type.
type RoomOptions struct {
	Dir  string // of the package, absolute
	Name string // in any usual spelling: game-room, GameRoom
	// PartyOf says under which party name a type is served when its annotation names none.
	PartyOf   func(typeName string) string
	Hibernate bool
	Requests  bool // with an OnRequest
}

// Room is the plan of a new room type: one file.
type Room struct {
	Plan
	Type  string
	Party string
}

var (
	roomName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$`)
	kebab    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

	//go:embed room.go.tmpl
	roomSource   string
	roomTemplate = template.Must(template.New("room").Parse(roomSource))
)

// NewRoom plans a room type in an existing package. The error is a
// *ConflictError if the type or its file exists.
func NewRoom(o RoomOptions) (*Room, error) {
	if !roomName.MatchString(o.Name) || len(o.Name) > maxName {
		return nil, &NameError{Name: o.Name, Must: `letters and digits, words joined by hyphens, beginning with a letter ("game-room" or "GameRoom")`}
	}
	r := &Room{Plan: Plan{Dir: o.Dir}, Type: camel(o.Name)}
	r.Party = o.PartyOf(r.Type)
	option := ""
	if kebab.MatchString(o.Name) && o.Name != r.Party {
		r.Party, option = o.Name, " name="+o.Name // the spelling that was asked for
	}
	if o.Hibernate {
		option += " hibernate"
	}
	pkg, taken, err := inspect(o.Dir, r.Type)
	if err != nil {
		return nil, err
	}
	if taken != "" {
		return nil, &ConflictError{[]string{taken + ": " + r.Type}}
	}
	var b bytes.Buffer
	err = roomTemplate.Execute(&b, map[string]any{
		"Package": pkg, "Type": r.Type, "Party": r.Party, "Options": option,
		"Requests": o.Requests,
	})
	if err != nil {
		return nil, fmt.Errorf("write the room type: %w", err)
	}
	src, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format the room type: %w", err)
	}
	// One word without hyphens or underscores: "x_test.go" and "x_linux.go" mean something to the go command.
	r.Files = []File{{strings.ToLower(r.Type) + ".go", src}}
	return r, nil
}

// camel makes an exported Go name: game-room → GameRoom.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// inspect returns the name of the package in dir, "main" if it has no files yet, and where it
// declares name already.
func inspect(dir, name string) (pkg, taken string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("read the package: %w", err)
	}
	pkg = "main"
	fset := token.NewFileSet()
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		// A file with mistakes in it is the generator's to report; its declarations count.
		file, _ := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if file == nil || file.Name == nil {
			continue
		}
		if file.Name.Name != "" && file.Name.Name != "_" {
			pkg = file.Name.Name
		}
		for _, d := range file.Decls {
			if declares(d, name) {
				return pkg, fmt.Sprintf("%s:%d", e.Name(), fset.Position(d.Pos()).Line), nil
			}
		}
	}
	return pkg, "", nil
}

func declares(d ast.Decl, name string) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Recv == nil && d.Name.Name == name
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.Name == name {
					return true
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.Name == name {
						return true
					}
				}
			}
		}
	}
	return false
}
