package sbom

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// self is a program that Go has built: this test.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func bill(t *testing.T, o Options) (*cdx.BOM, []byte) {
	t.Helper()
	data, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	bom := new(cdx.BOM)
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}
	return bom, data
}

// node makes files below a folder, with the text of a package.json where there is one.
func node(t *testing.T, files map[string]string) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if filepath.Base(name) != "package.json" {
			paths = append(paths, path)
		}
	}
	return dir, paths
}

// TestModules holds a bill against what the binary says of itself. It is built for that: in tests the
// go command records no modules.
func TestModules(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "vet")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/partyvet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	bom, data := bill(t, Options{Binary: binary, Name: "chat", Tool: "v1"})
	if err := valid(t, data); err != nil {
		t.Error(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.Name+" "+c.Version)
	}
	want := []string{"std " + info.GoVersion}
	for _, m := range info.Deps {
		want = append(want, m.Path+" "+m.Version)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" || len(want) < 3 {
		t.Errorf("%d modules (-got +want):\n%s", len(want), diff)
	}
	if refs := (*bom.Dependencies)[0]; refs.Ref != bom.Metadata.Component.BOMRef || len(*refs.Dependencies) != len(want) {
		t.Errorf("the program depends on %+v", refs)
	}
}

func TestReplaced(t *testing.T) {
	folder := module(&debug.Module{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "/home/ada/secret", Version: "(devel)"}})
	if data, err := json.Marshal(folder); err != nil || strings.Contains(string(data), "secret") || folder.Name != "example.com/a" || folder.Properties == nil {
		t.Errorf("got %s, %v: want it marked, without the path", data, err)
	}
	fork := module(&debug.Module{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.2.0+incompatible", Sum: "h1:x"}})
	if fork.PackageURL != "pkg:golang/example.com/fork@v1.2.0%2Bincompatible" {
		t.Errorf("got %s", fork.PackageURL)
	}
}

func TestNPM(t *testing.T) {
	_, files := node(t, map[string]string{
		"client/main.ts":                                          "",
		"node_modules/partysocket/package.json":                   `{"name":"partysocket","version":"1.3.0"}`,
		"node_modules/partysocket/dist/index.js":                  "",
		"node_modules/partysocket/dist/ws.js":                     "",
		"node_modules/@a/b/package.json":                          `{"name":"@a/b","version":"2.0.0"}`,
		"node_modules/@a/b/index.js":                              "",
		"node_modules/@a/b/node_modules/partysocket/package.json": `{"name":"partysocket","version":"1.0.0"}`,
		"node_modules/@a/b/node_modules/partysocket/index.js":     "",
	})
	bom, data := bill(t, Options{Binary: self(t), Name: "chat", Bundled: files})
	var got []string
	for _, c := range *bom.Components {
		if strings.HasPrefix(c.PackageURL, "pkg:npm/") {
			got = append(got, c.PackageURL)
		}
	}
	want := []string{"pkg:npm/%40a/b@2.0.0", "pkg:npm/partysocket@1.0.0", "pkg:npm/partysocket@1.3.0"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("packages (-got +want):\n%s", diff)
	}
	if err := valid(t, data); err != nil {
		t.Error(err)
	}
}

func TestNPMWithoutPackage(t *testing.T) {
	for name, text := range map[string]string{"none": "", "broken": "{", "nameless": `{"version":"1.0.0"}`} {
		files := map[string]string{"node_modules/x/index.js": ""}
		if text != "" {
			files["node_modules/x/package.json"] = text
		}
		_, paths := node(t, files)
		if got, err := Make(Options{Binary: self(t), Name: "chat", Bundled: paths}); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
}

func TestSameBytes(t *testing.T) {
	o := Options{Binary: self(t), Name: "chat", Tool: "v1"}
	_, one := bill(t, o)
	if _, two := bill(t, o); !bytes.Equal(one, two) {
		t.Error("the same input gives other bytes")
	}
	o.Created = time.Unix(1_700_000_000, 0)
	bom, dated := bill(t, o)
	if bytes.Equal(one, dated) || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("dated %q", bom.Metadata.Timestamp)
	}
}

func TestNoProgram(t *testing.T) {
	_, paths := node(t, map[string]string{"app": "no program"})
	if _, err := Make(Options{Binary: paths[0], Name: "chat"}); err == nil {
		t.Error("a text file has a bill")
	}
}

// valid holds a bill against the schema that CycloneDX publishes.
func valid(t *testing.T, data []byte) error {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	const base = "http://cyclonedx.org/schema/"
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		file := filepath.Join(strings.TrimSpace(string(out)), "schema", name)
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) { // one is misnamed
			text, err = os.ReadFile(strings.Replace(file, ".schema.json", ".schemax.json", 1))
		}
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(base+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(base + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestSchema(t *testing.T) {
	_, data := bill(t, Options{Binary: self(t), Name: "chat", Tool: "v1", Created: time.Unix(1_700_000_000, 0)})
	if err := valid(t, data); err != nil {
		t.Error(err)
	}
	if err := valid(t, bytes.Replace(data, []byte(`"type": "application"`), []byte(`"type": "sandwich"`), 1)); err == nil {
		t.Error("the schema takes anything")
	}
}
