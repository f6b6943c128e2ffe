package unit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRender(t *testing.T) {
	got, err := Render(Options{Args: []string{"--domain", "apps.example.com", "--log", `a "b" 100% $x \`}, Writable: []string{"/srv/my apps"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nExecStart=/usr/local/bin/party host serve --domain apps.example.com --log \"a \\\"b\\\" 100%% $$x \\\\\"\n",
		"\nReadWritePaths=\"/srv/my apps\"\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if _, err := Render(Options{Args: []string{"a\nExecStartPre=/bin/evil"}}); err == nil {
		t.Error("a line break gets into the unit")
	}
	plain, err := Render(Options{})
	if err != nil || strings.Contains(string(plain), "ReadWritePaths") {
		t.Errorf("without other folders: %v\n%s", err, plain)
	}
}

func TestRenderIsValid(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	data, err := Render(Options{Args: []string{"--domain", "apps.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), Name)
	// The program need not be installed here.
	data = []byte(strings.Replace(string(data), ProgramPath, os.Args[0], 1))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(verify, "verify", "--man=no", path).CombinedOutput(); err != nil || strings.Contains(string(out), Name) {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func TestInstallTwice(t *testing.T) {
	root := t.TempDir()
	program := filepath.Join(t.TempDir(), "party")
	if err := os.WriteFile(program, []byte("one"), 0o700); err != nil {
		t.Fatal(err)
	}
	install := func(args ...string) []bool {
		t.Helper()
		list, err := Install(Options{Root: root, Program: program, Args: args})
		if err != nil {
			t.Fatal(err)
		}
		var changed []bool
		for _, c := range list {
			changed = append(changed, c.Changed)
		}
		return changed
	}
	for _, step := range []struct {
		what string
		do   func()
		args []string
		want []bool
	}{
		{"first", func() {}, nil, []bool{true, true}},
		{"again", func() {}, nil, []bool{false, false}},
		{"another flag", func() {}, []string{"--domain", "a.b"}, []bool{false, true}},
		{"another program", func() { os.WriteFile(program, []byte("two"), 0o700) }, []string{"--domain", "a.b"}, []bool{true, false}},
		{"another mode", func() { os.Chmod(filepath.Join(root, ProgramPath), 0o777) }, []string{"--domain", "a.b"}, []bool{true, false}},
	} {
		step.do()
		if got := install(step.args...); !cmp.Equal(got, step.want) {
			t.Errorf("%s: changed %v, want %v", step.what, got, step.want)
		}
	}
	info, err := os.Stat(filepath.Join(root, ProgramPath))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program has mode %v, %v", info.Mode(), err)
	}
	program = filepath.Join(root, ProgramPath)
	if got := install("--domain", "a.b"); !cmp.Equal(got, []bool{false, false}) {
		t.Errorf("from where it is: changed %v", got)
	}
}
