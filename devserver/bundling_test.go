package devserver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBrowserCodeIsBundledAndReloaded(t *testing.T) {
	p := newProject(t)
	p.write("party.json", `{"serve": {"path": "public", "build": "client/main.ts"}, "vars": {"WHO": "world"}}`)
	p.write("client/main.ts", "import { name } from \"./name\";\nconsole.log(name, PARTYKIT_HOST);\n")
	p.write("client/name.ts", "export const name: string = \"Ada\";\n")
	p.run(p.options())
	p.waitReload()
	bundle := func() string { _, body := p.get("/dist/main.js", nil); return body }
	p.until("the bundle", func() bool { return strings.Contains(bundle(), `"Ada"`) })
	if got, want := bundle(), `"`+strings.TrimPrefix(p.url, "http://")+`"`; !strings.Contains(got, want) {
		t.Errorf("the bundle does not contain %s:\n%s", want, got)
	}

	// A change of what is imported reaches the page, and builds no program.
	before := p.status()
	p.edit("client/name.ts", "Ada", "Bob")
	p.until("pages to be reloaded with the change", func() bool {
		return p.status().Assets != before.Assets && strings.Contains(bundle(), `"Bob"`)
	})

	// A mistake is shown, and the bundle before it is still there. Nothing of it concerns the program.
	p.edit("client/main.ts", "./name", "./nome")
	p.waitOutput("bundling the browser code failed")
	p.waitOutput(`client/main.ts:1:22: error: could not resolve "./nome" [bundle]`)
	s := p.status()
	if len(s.Problems) != 1 || s.Problems[0].Title != "Bundling the browser code failed" || !strings.HasSuffix(s.Problems[0].Place, "client/main.ts:1:22") || !strings.Contains(s.Problems[0].Detail, "^") {
		t.Errorf("problems %+v", s.Problems)
	}
	if s.Phase != "ready" || s.Build != before.Build || !strings.Contains(bundle(), `"Bob"`) {
		t.Errorf("status %+v, the bundle:\n%s", s, bundle())
	}
	// What was missing appears.
	p.write("client/nome.ts", "export const name = \"Eve\";\n")
	p.waitOutput("the browser code is bundled again")
	p.until("the bundle", func() bool { return strings.Contains(bundle(), `"Eve"`) })
	if s := p.status(); len(s.Problems) != 0 {
		t.Errorf("problems after the fix %+v", s.Problems)
	}

	// Other options.
	p.write("party.json", `{"serve": {"path": "public", "build": {"entry": "client/main.ts", "outdir": "public/js", "define": {"PARTYKIT_HOST": "'elsewhere'"}}}, "vars": {"WHO": "world"}}`)
	p.until("the other bundle", func() bool { _, body := p.get("/js/main.js", nil); return strings.Contains(body, "elsewhere") })
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

func TestBrowserCodeThatIsNotThereYet(t *testing.T) {
	p := newProject(t)
	p.write("party.json", `{"serve": {"path": "public", "build": "client/main.ts"}}`)
	p.run(p.options())
	p.waitReload()
	p.waitOutput(`party.json:1:39: error: "client/main.ts" does not exist [no-entry]`)
	if _, err := os.Stat(filepath.Join(p.dir, "public", "dist")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a bundle of nothing: %v", err)
	}
	p.write("client/main.ts", "console.log(\"here\")\n")
	p.until("the bundle", func() bool { _, body := p.get("/dist/main.js", nil); return strings.Contains(body, "here") })
	p.write("party.json", `{"serve": "public"}`)
	p.waitReload()
}

func TestNextShowsBundles(t *testing.T) {
	wrong := &failure{Output: "wrong"}
	s, do := next(state{}, bundled{Failure: wrong})
	if want := (show{bundlesMade{bundled{Failure: wrong}, false}}); s.bundling != wrong || len(do) != 1 {
		t.Errorf("after a failure: %+v, %+v, want %+v", s, do, want)
	}
	s, do = next(s, bundled{})
	if n, ok := do[0].(show).What.(bundlesMade); s.bundling != nil || !ok || !n.Mended {
		t.Errorf("after the fix: %+v, %+v", s, do)
	}
	s, do = next(s, bundled{})
	if n, ok := do[0].(show).What.(bundlesMade); s.bundling != nil || !ok || n.Mended {
		t.Errorf("after another: %+v, %+v", s, do)
	}
}
