package vault

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goparty-dev/party/internal/manifest"
)

func open(t *testing.T, path string) *Vault {
	t.Helper()
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	v := open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	vars := map[string]string{"TOKEN": "a long secret"}
	sealed, err := v.Seal("chat", vars)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("long secret")) || bytes.Contains(sealed, []byte("TOKEN")) {
		t.Error("what is sealed can be read")
	}
	if got, err := open(t, path).Open("chat", sealed); err != nil || !maps.Equal(got, vars) {
		t.Errorf("Open(Seal(%v)) after a restart = %v, %v", vars, got, err)
	}
	again, err := v.Seal("chat", vars)
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealing twice gives the same bytes, or %v", err)
	}
	if _, err := v.Open("other", sealed); err == nil {
		t.Error("another app can open it")
	}
	other := open(t, filepath.Join(t.TempDir(), "key"))
	if _, err := other.Open("chat", sealed); err == nil {
		t.Error("another key opens it")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := v.Open("chat", sealed); err == nil {
		t.Error("a changed file is opened")
	}
	if got, err := v.Open("chat", nil); err != nil || len(got) != 0 {
		t.Errorf("Open(nothing) = %v, %v", got, err)
	}
}

func TestKeyMustBePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	open(t, path)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "others may read") {
		t.Errorf("Open a key that others may read: got error %v", err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("Open half a key: got error %v", err)
	}
}

func TestCheckHidesValues(t *testing.T) {
	many := make(map[string]string)
	for n := range MaxVars + 1 {
		many[strings.Repeat("A", n+1)] = ""
	}
	for _, vars := range []map[string]string{
		{"1": "hidden"}, {"A": "hidden\x00"}, {"A": "hidden\xff"}, {"A": "hidden" + strings.Repeat("a", MaxValue)}, many,
	} {
		if err := Check(vars); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("Check(%.40v): got error %v", vars, err)
		}
	}
}

// FuzzCheck looks whether what is accepted can be given to an app.
func FuzzCheck(f *testing.F) {
	f.Add("A", "value")
	f.Add("a.b-c", " # 'no' \"$HOME\" \\n\r\n\t\\")
	f.Add("A", "")
	f.Add("export", "x=y")
	f.Fuzz(func(t *testing.T, name, value string) {
		vars := map[string]string{name: value, "LAST": "1"}
		if Check(vars) != nil {
			return
		}
		file := manifest.FormatEnv(vars)
		got, list := manifest.ParseEnv(".env", file)
		if len(list) > 0 || !maps.Equal(got, vars) {
			t.Errorf("the file %q is read as %q, %v", file, got, list)
		}
	})
}
