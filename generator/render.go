package generator

import (
	"bytes"
	"fmt"
	"go/format"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// printer collects the text of one file.
type printer struct{ bytes.Buffer }

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// render prints a model without errors into files, those of its parts behind its own.
func render(m *Model) ([]File, error) {
	var files []File
	for part := range m.All() {
		add := func(name string, p *printer) error {
			data, err := format.Source(p.Bytes())
			if err != nil {
				return fmt.Errorf("format %s: %w", name, err)
			}
			files = append(files, File{Path: filepath.Join(part.dir, name), Data: data})
			return nil
		}
		if err := add(tableFile, printTable(part)); err != nil {
			return nil, err
		}
		if err := add(callsFile, printCalls(part)); err != nil {
			return nil, err
		}
		if len(part.Data) > 0 {
			if err := add(dataFile, printData(part)); err != nil {
				return nil, err
			}
		}
		if part.Embed != nil {
			if err := add(embedFile, printEmbed(part)); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// printTable prints the table of what the package serves.
func printTable(m *Model) *printer {
	p := new(printer)
	withMain := m.Package == "main" && !m.HasMain
	p.line("%s\n\npackage %s\n", header, m.Package)
	imports := []string{importLine(m.Imports.Party, "party", runtimePath, "runtime")}
	if m.socketIO() {
		imports = append(imports, importLine(m.Imports.SocketIO, "socketio", socketioPath, "socketio"))
	}
	if withMain {
		imports = append(imports, importLine(m.Imports.Server, "server", serverPath, "server"))
	}
	joined := m.joined()
	for _, part := range joined {
		imports = append(imports, importLine(part.Alias, part.Alias, part.Path, path.Base(part.Path)))
	}
	slices.SortFunc(imports, func(a, b string) int { return strings.Compare(a[strings.Index(a, `"`):], b[strings.Index(b, `"`):]) })
	printImports(p, nil, imports)

	p.line("// partyApp is what this package serves.")
	if len(joined) == 0 {
		p.line("var partyApp = %s.App{", m.Imports.Party)
	} else {
		p.line("var partyApp = %s.Join(%[1]s.App{", m.Imports.Party)
	}
	p.line("Generated: %d,", runtimeVersion)
	p.line("Rooms: []%s.Definition{", m.Imports.Party)
	for i := range m.Rooms {
		printDefinition(p, m, &m.Rooms[i])
	}
	p.line("},")
	if m.Fetch != "" {
		p.line("Fetch: %s,", m.Fetch)
	}
	if m.Socket != "" {
		p.line("Socket: %s,", m.Socket)
	}
	printBefore(p, m, "BeforeConnect", m.BeforeConnect)
	printBefore(p, m, "BeforeRequest", m.BeforeRequest)
	if len(m.Crons) > 0 {
		p.line("Crons: []%s.CronHook{", m.Imports.Party)
		for _, c := range m.Crons {
			p.line("{Name: %q, Func: %s},", c.Name, c.Function)
		}
		p.line("},")
	}
	printMigrations(p, m)
	if len(m.Errors) > 0 {
		p.line("Errors: partyErrors,")
	}
	if len(joined) == 0 {
		p.line("}")
	} else {
		p.line("},")
		for _, part := range joined {
			p.line("%s.PartyApp(),", part.Alias)
		}
		p.line(")")
	}
	switch {
	case withMain:
		p.line("\nfunc main() { %s.Main(&partyApp) }", m.Imports.Server)
	case m.Package != "main":
		p.line("\n// PartyApp returns what this package serves, for server.App.")
		p.line("func PartyApp() *%s.App { return &partyApp }", m.Imports.Party)
	}
	return p
}

// joined are the parts that the program imports to serve their rooms.
func (m *Model) joined() []*Model {
	return slices.DeleteFunc(slices.Clone(m.Parts), func(part *Model) bool { return part.Alias == "" })
}

func printRoom(p *printer, m *Model, r *Room) {
	fields := []string{fmt.Sprintf("Name: %q, Type: %q", r.Party, r.Type)}
	if r.Main {
		fields = append(fields, "Main: true")
	}
	if r.Hibernate {
		fields = append(fields, "Hibernate: true")
	}
	if len(r.Methods) > 0 {
		fields = append(fields, "Methods: "+methodsOf(r))
	}
	if len(r.Messages) > 0 {
		fields = append(fields, "Messages: "+messagesOf(r))
	}
	p.line("{%s, New: func() %s.Instance {", strings.Join(fields, ", "), m.Imports.Party)
	p.line("v := new(%s)", r.Type)
	instance := []string{"Room: &v." + strings.Join(r.Embed, ".")}
	if len(r.Methods)+len(r.Messages) > 0 || r.SocketIO {
		instance = append(instance, "Value: v")
	}
	for _, name := range r.Callbacks {
		instance = append(instance, callback(name).Field+": v")
	}
	if len(r.Persist)+len(r.Migrate) == 0 {
		p.line("return %s.Instance{%s}", m.Imports.Party, strings.Join(instance, ", "))
		p.line("}},")
		return
	}
	p.line("return %s.Instance{\n%s,", m.Imports.Party, strings.Join(instance, ", "))
	if len(r.Persist) > 0 {
		p.line("Persist: []%s.Persisted{", m.Imports.Party)
		for _, f := range r.Persist {
			p.line("%s.Persist%s(%q, &v.%s),", m.Imports.Party, f.Kind, f.Name, strings.Join(f.Path, "."))
		}
		p.line("},")
	}
	if len(r.Migrate) > 0 {
		p.line("Migrate: []%s.DataMigration{", m.Imports.Party)
		for _, s := range r.Migrate {
			p.line("{Version: %d, Func: v.%s},", s.Version, s.Method)
		}
		p.line("},")
	}
	p.line("}")
	p.line("}},")
}

func printBefore(p *printer, m *Model, field string, hooks []Before) {
	if len(hooks) == 0 {
		return
	}
	p.line("%s: []%s.BeforeHook{", field, m.Imports.Party)
	for _, h := range hooks {
		if h.Party == "" {
			p.line("{Func: %s},", h.Function)
		} else {
			p.line("{Party: %q, Func: %s},", h.Party, h.Function)
		}
	}
	p.line("},")
}

func printMigrations(p *printer, m *Model) {
	if len(m.Migrations) == 0 {
		return
	}
	p.line("Migrations: []%s.Migration{", m.Imports.Party)
	for _, step := range m.Migrations {
		fields := []string{fmt.Sprintf("Tag: %q", step.Tag)}
		if len(step.New) > 0 {
			fields = append(fields, fmt.Sprintf("New: %#v", step.New))
		}
		if len(step.Renamed) > 0 {
			var pairs []string
			for _, r := range step.Renamed {
				pairs = append(pairs, fmt.Sprintf("{From: %q, To: %q}", r.From, r.To))
			}
			fields = append(fields, fmt.Sprintf("Renamed: []%s.Rename{%s}", m.Imports.Party, strings.Join(pairs, ", ")))
		}
		if len(step.Deleted) > 0 {
			fields = append(fields, fmt.Sprintf("Deleted: %#v", step.Deleted))
		}
		p.line("{%s},", strings.Join(fields, ", "))
	}
	p.line("},")
}

// printEmbed prints what hands the manifest and the assets to the server. A host of party dev has no use for them.
func printEmbed(m *Model) *printer {
	p := new(printer)
	e, names := m.Embed, m.Imports
	p.line("%s\n\n//go:build !party_host\n\npackage %s\n", header, m.Package)
	var std []string
	switch {
	case e.Assets != "":
		std = append(std, importLine(names.Embed, "embed", "embed", "embed"))
	case e.Manifest != "":
		// Without an embed.FS the package is there for the directive alone.
		std = append(std, importLine("_", "embed", "embed", "embed"))
	}
	if e.Assets != "" {
		std = append(std, importLine(names.FS, "fs", "io/fs", "fs"))
	}
	printImports(p, std, []string{importLine(names.Server, "server", serverPath, "server")})

	manifest, assets := "nil", "nil"
	if e.Manifest != "" {
		manifest = "partyManifest"
		p.line("//go:embed %s\nvar partyManifest []byte\n", pattern(e.Manifest, false))
	}
	if e.Text != "" {
		manifest = "partyManifest"
		p.line("// partyManifest is what the manifest said when this was generated: go:embed does not reach it.")
		p.line("var partyManifest = []byte(%s)\n", literal(e.Text))
	}
	if e.Assets != "" {
		p.line("//go:embed %s\nvar partyAssets %s.FS\n", pattern(e.Assets, e.Underscores), names.Embed)
	}
	p.line("func init() {")
	if e.Assets != "" {
		assets = "assets"
		p.line("assets, err := %s.Sub(partyAssets, %q)", names.FS, e.Assets)
		p.line("if err != nil {\npanic(err) // the path is known to be valid\n}")
	}
	p.line("%s.Embed(%s, %s)", names.Server, manifest, assets)
	p.line("}")
	return p
}

// literal returns a string as Go source, on several lines if that can be.
func literal(s string) string {
	if strconv.CanBackquote(strings.ReplaceAll(s, "\n", "")) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// importLine returns an import spec, with a name where it is not the usual one or does not follow from the path.
func importLine(name, usual, path, base string) string {
	if name == usual && usual == base {
		return fmt.Sprintf("%q", path)
	}
	return fmt.Sprintf("%s %q", name, path)
}

// printImports prints the imports, the standard library's first.
func printImports(p *printer, std, others []string) {
	if len(std)+len(others) == 1 {
		p.line("import %s\n", append(std, others...)[0])
		return
	}
	p.line("import (")
	for _, s := range std {
		p.line("%s", s)
	}
	if len(std) > 0 {
		p.line("")
	}
	for _, s := range others {
		p.line("%s", s)
	}
	p.line(")\n")
}
