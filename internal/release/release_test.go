package release

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/storage"
)

// TestMain is also a program that says what it is: what follows the mark at the end of its file.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "unpack" {
		path, err := os.Executable()
		if err != nil {
			panic(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		_, name, ok := strings.Cut(string(data[max(0, len(data)-50):]), mark)
		if !ok || name == "mute" {
			os.Exit(0)
		}
		if err := os.WriteFile(filepath.Join(os.Args[2], AboutFile), []byte(`{"build": {"name": "`+name+`"}, "parties": ["chat"]}`), 0o600); err != nil {
			panic(err)
		}
		if err := os.Mkdir(filepath.Join(os.Args[2], AssetsFolder), 0o700); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const mark = "\nI am "

func program(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, append(data, mark+name...), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func folder(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := At(dir)
	if err == nil {
		err = f.Prepare()
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAddGetKeep(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "versions")
	f := folder(t, dir)
	one, err := f.Add(ctx, program(t, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if one.About.Build.Name != "one" || one.Manifest != nil || one.Assets() == nil {
		t.Errorf("got %+v", one)
	}
	if id, err := ID(one.Binary()); id != one.ID || err != nil {
		t.Errorf("ID of its copy = %s, %v, want %s", id, err, one.ID)
	}
	again, err := f.Add(ctx, program(t, "one"))
	if err != nil || again.ID != one.ID {
		t.Errorf("Add again = %v, %v", again, err)
	}
	two, err := f.Add(ctx, program(t, "two"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Keep([]string{two.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(one.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get what is not kept: got error %v", err)
	}
	if _, err := f.Get("../" + two.ID[:9]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get what is no version: got error %v", err)
	}
	if _, err := f.Get(two.ID); err != nil {
		t.Error(err)
	}
}

func TestAddRefuses(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho no; exit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		program(t, "mute"):                   "was it made by party build?",
		script:                               "exit status 1\nno",
		t.TempDir():                          "is not a file",
		filepath.Join(t.TempDir(), "absent"): "no such file",
	} {
		if _, err := f.Add(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Add(%s): got error %v, want %q in it", path, err, want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("refused binaries have left %v, %v", left, err)
	}
}

func TestRecord(t *testing.T) {
	f := folder(t, t.TempDir())
	if r, err := f.Load(); err != nil || len(r.Versions) > 0 {
		t.Errorf("Load before Save = %v, %v", r, err)
	}
	want := Record{Path: "/app", Base: "b", Versions: []Served{{ID: "a", Proven: true}, {ID: "b", Moved: true}}, Migrations: []storage.Migration{{Tag: "v1", New: []string{"chat"}}}}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := f.Load()
	if diff := cmp.Diff(got, want); err != nil || diff != "" {
		t.Errorf("Load() = %v, -got +want:\n%s", err, diff)
	}
}

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		name    string
		in      []Served
		want    string
		dropped string
	}{
		{"proven", []Served{{ID: "a", Proven: true}, {ID: "b", Proven: true}}, "a b", ""},
		{"on probation", []Served{{ID: "a", Proven: true}, {ID: "b"}, {ID: "c"}}, "a", "c b"},
		{"it has moved rooms", []Served{{ID: "a", Proven: true}, {ID: "b", Moved: true}}, "a b", ""},
		{"nothing to go back to", []Served{{ID: "a"}}, "a", ""},
	} {
		r := Record{Versions: test.in}
		dropped := strings.Join(r.Settle(), " ")
		var left []string
		for _, v := range r.Versions {
			left = append(left, v.ID)
		}
		if got := strings.Join(left, " "); got != test.want || dropped != test.dropped {
			t.Errorf("%s: left %q and dropped %q, want %q and %q", test.name, got, dropped, test.want, test.dropped)
		}
	}
}

func TestLabel(t *testing.T) {
	for want, b := range map[string]Build{
		"devel":               {},
		"v1.2.3":              {Version: "v1.2.3"},
		"devel 0123456789ab+": {Version: "devel", Commit: "0123456789abcdef", Modified: true},
	} {
		if got := b.Label(); got != want {
			t.Errorf("Label of %+v = %q, want %q", b, got, want)
		}
	}
}
