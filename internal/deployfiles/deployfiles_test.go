package deployfiles

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func render(t *testing.T, kind string, o Options) string {
	t.Helper()
	f, err := Render(kind, o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(f.Content, []byte("\n")) || bytes.Contains(f.Content, []byte("<no value>")) {
		t.Errorf("%s:\n%s", f.Path, f.Content)
	}
	return string(f.Content)
}

// documents parses YAML, of which no key may stand twice.
func documents(t *testing.T, text string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		out = append(out, doc)
	}
}

// at finds what is at a path of keys and list positions.
func at(t *testing.T, doc any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, ok := doc.(map[string]any)
			if !ok {
				t.Fatalf("no %v of %v: it is a %T", key, path, doc)
			}
			doc = m[key]
		case int:
			l, ok := doc.([]any)
			if !ok || key >= len(l) {
				t.Fatalf("no %v of %v: it is %v", key, path, doc)
			}
			doc = l[key]
		}
	}
	return doc
}

func TestKubernetes(t *testing.T) {
	docs := documents(t, render(t, "kubernetes", Options{Name: "chat", Image: "team/chat:v1"}))
	if len(docs) != 2 || docs[0]["kind"] != "Service" || docs[1]["kind"] != "StatefulSet" {
		t.Fatalf("got %v", docs)
	}
	service, set := docs[0], docs[1]
	labels := at(t, set, "spec", "template", "metadata", "labels")
	for _, same := range []any{at(t, service, "spec", "selector"), at(t, set, "spec", "selector", "matchLabels")} {
		if diff := cmp.Diff(same, labels); diff != "" {
			t.Errorf("a selector that does not match (-got +want):\n%s", diff)
		}
	}
	pod := at(t, set, "spec", "template", "spec")
	container := at(t, pod, "containers", 0)
	for _, c := range []struct{ got, want any }{
		{at(t, set, "apiVersion"), "apps/v1"},
		{at(t, set, "spec", "replicas"), 1},
		{at(t, set, "spec", "serviceName"), at(t, service, "metadata", "name")},
		{at(t, service, "spec", "ports", 0, "targetPort"), at(t, container, "ports", 0, "name")},
		{at(t, container, "image"), "team/chat:v1"},
		{at(t, container, "volumeMounts", 0, "name"), at(t, set, "spec", "volumeClaimTemplates", 0, "metadata", "name")},
		{at(t, container, "volumeMounts", 1, "name"), at(t, pod, "volumes", 0, "name")},
		{at(t, pod, "securityContext", "runAsUser"), 65532},
		{at(t, container, "readinessProbe", "exec", "command", 0), "/app"},
	} {
		if diff := cmp.Diff(c.got, c.want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	}
}

func TestGitHub(t *testing.T) {
	docs := documents(t, render(t, "github", Options{Name: "chat", Package: "./cmd/chat", Ldflags: `-s -w -X 'main.greeting=it'`}))
	if len(docs) != 1 {
		t.Fatalf("got %d documents", len(docs))
	}
	steps, ok := at(t, docs[0], "jobs", "build", "steps").([]any)
	if !ok {
		t.Fatal("no steps")
	}
	uses := regexp.MustCompile(`^[\w-]+/[\w-]+@v\d+$`)
	for n, s := range steps {
		action, _ := at(t, s, "uses").(string)
		run, _ := at(t, s, "run").(string)
		if (action == "") == (run == "") || action != "" && !uses.MatchString(action) {
			t.Errorf("step %d: uses %q, runs %q", n, action, run)
		}
		sound(t, run)
	}
	build, _ := at(t, steps[4], "run").(string)
	if want := `go build -trimpath -ldflags='-s -w -X '\''main.greeting=it'\''' -o chat-$GOARCH ./cmd/chat`; strings.TrimSpace(build) != want {
		t.Errorf("got %q, want %q", build, want)
	}
	if got := at(t, steps[5], "with", "path"); got != "chat-${{ matrix.arch }}" {
		t.Errorf("got path %q", got)
	}
}

// sound has a shell look at a script.
func sound(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sh -n: %v\n%s\n%s", err, out, script)
	}
}

func TestDockerfile(t *testing.T) {
	text := render(t, "dockerfile", Options{Name: "chat", Package: "./cmd/chat", Ldflags: "-s -w -X 'main.greeting=it'", Go: "1.27"})
	known := regexp.MustCompile(`^(FROM|WORKDIR|COPY|RUN|USER|EXPOSE|VOLUME|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) \S`)
	list := regexp.MustCompile(`^\[("[^"]*", )*"[^"]*"\]$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !known.MatchString(line) {
			t.Errorf("line %q is no instruction", line)
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "RUN":
			sound(t, rest)
		case "ENTRYPOINT", "CMD":
			if !list.MatchString(rest) {
				t.Errorf("%s is not in exec form: %s", word, rest)
			}
		}
	}
	for _, want := range []string{"FROM golang:1.27 AS build\n", " ./cmd/chat && ", "\nUSER 65532:65532\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

// TestFly checks the little of TOML that the file uses.
func TestFly(t *testing.T) {
	table := regexp.MustCompile(`^\[[a-z_]+(\.[a-z_]+)*\]$`)
	pair := regexp.MustCompile(`^[a-z_]+ = ("[^"\\]*"|\d+|true|false)$`)
	seen := make(map[string]bool)
	within := ""
	for line := range strings.Lines(render(t, "fly", Options{Name: "chat"})) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case table.MatchString(line):
			within = line
		case !pair.MatchString(line):
			t.Errorf("line %q", line)
		default:
			line, _, _ = strings.Cut(line, " ")
			line = within + line
		}
		if seen[line] {
			t.Errorf("%s stands twice", line)
		}
		seen[line] = true
	}
	for _, want := range []string{"app", "[mounts]destination", "[http_service]internal_port"} {
		if !seen[want] {
			t.Errorf("there is no %s", want)
		}
	}
}

func TestSystemd(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !plainPath.MatchString(binary) {
		binary = "/bin/sh" // anything that can be executed
	}
	text := render(t, "systemd", Options{Name: "chat", Binary: binary})
	section := ""
	setting := regexp.MustCompile(`^[A-Z][A-Za-z]+=`)
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		case section == "" || !setting.MatchString(line):
			t.Errorf("line %q in %s", line, section)
		}
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here, so only the form was checked")
		return
	}
	unit := filepath.Join(t.TempDir(), "chat.service")
	if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "verify", "--man=no", unit).CombinedOutput(); err != nil || bytes.Contains(out, []byte("chat.service")) {
		t.Errorf("systemd-analyze verify: %v\n%s\n%s", err, out, text)
	}
}

func TestRenderRefuses(t *testing.T) {
	for what, o := range map[string]Options{
		"name":    {Name: "chat\nExecStart=/bin/sh"},
		"empty":   {},
		"package": {Name: "chat", Package: "./x; rm"},
		"image":   {Name: "chat", Image: "a b"},
		"go":      {Name: "chat", Go: "1.26 AS x"},
		"ldflags": {Name: "chat", Ldflags: "-s\n-w"},
		"binary":  {Name: "chat", Binary: "chat"},
	} {
		for _, kind := range Kinds() {
			if f, err := Render(kind, o); err == nil {
				t.Errorf("%s, %s: got no error and\n%s", what, kind, f.Content)
			}
		}
	}
	if _, err := Render("heroku", Options{Name: "chat"}); err == nil {
		t.Error("an unknown kind: got no error")
	}
}

func TestPaths(t *testing.T) {
	want := map[string]string{
		"systemd": "chat.service", "dockerfile": "Dockerfile", "kubernetes": "kubernetes.yaml", "fly": "fly.toml", "github": ".github/workflows/server.yml",
	}
	got := make(map[string]string)
	for _, kind := range Kinds() {
		f, err := Render(kind, Options{Name: "chat"})
		if err != nil {
			t.Fatal(err)
		}
		got[kind] = f.Path
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("paths (-got +want):\n%s", diff)
	}
}
