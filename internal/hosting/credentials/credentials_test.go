package credentials

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"party.example.com":             "https://party.example.com",
		"https://Party.Example.com:443": "https://party.example.com",
		"https://a.example/":            "https://a.example",
		"https://a.example:8443":        "https://a.example:8443",
		"http://localhost:80":           "http://localhost",
		"http://admin.localhost:8080":   "http://admin.localhost:8080",
		"http://127.0.0.1:9000":         "http://127.0.0.1:9000",
		"http://[::1]:9000":             "http://[::1]:9000",
		"https://[2001:db8::1]":         "https://[2001:db8::1]",
		"deploy@example.com":            "ssh://deploy@example.com",
		"ssh://deploy@example.com:22":   "ssh://deploy@example.com",
		"ssh://example.com:2222":        "ssh://example.com:2222",
	} {
		got, err := Address(text)
		if err != nil || got != want {
			t.Errorf("Address(%q) = %q, %v, want %q", text, got, err, want)
		}
		if again, err := Address(got); err != nil || again != got {
			t.Errorf("Address(%q) = %q, %v: the normal form is not its own", got, again, err)
		}
	}
	for text, want := range map[string]string{
		"":                        "empty",
		"http://example.com":      "plain http would show the token",
		"http://127.0.0.1.evil.x": "plain http would show the token",
		"ftp://example.com":       `"ftp" is not a way`,
		"https://a.example/x":     "nothing may follow",
		"https://a.example?x":     "nothing may follow",
		"https://me@a.example":    "user name",
		"https://":                "no address",
		"ssh://me:pass@a.example": "password",
	} {
		_, err := Address(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Address(%q): got error %v, want %q in it", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("Address(%q) shows the password: %v", text, err)
		}
	}
}

func TestFile(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "party", "credentials.json"))
	if current, all, err := f.Hosts(); current != "" || len(all) != 0 || err != nil {
		t.Fatalf("Hosts of no file = %q, %q, %v", current, all, err)
	}
	for _, host := range []string{"https://b.example", "https://a.example", "https://c.example"} {
		if err := f.Set(host, NewSecret("token of "+host)); err != nil {
			t.Fatal(err)
		}
	}
	current, all, err := f.Hosts()
	if want := []string{"https://a.example", "https://b.example", "https://c.example"}; current != "https://c.example" || !slices.Equal(all, want) || err != nil {
		t.Errorf("Hosts() = %q, %q, %v, want the last that was set, %q", current, all, err, want)
	}
	info, err := os.Stat(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, want 0600", info.Mode())
	}
	if got, err := f.Token("https://b.example"); got.Reveal() != "token of https://b.example" || err != nil {
		t.Errorf("Token = %q, %v", got.Reveal(), err)
	}
	if known, err := f.Delete("https://nowhere.example"); known || err != nil {
		t.Errorf("Delete of a host that is not known = %v, %v", known, err)
	}
	if known, err := f.Delete("https://c.example"); !known || err != nil {
		t.Errorf("Delete = %v, %v", known, err)
	}
	if current, all, _ := f.Hosts(); current != "https://a.example" || len(all) != 2 {
		t.Errorf("after Delete, Hosts() = %q, %q", current, all)
	}
	left, err := os.ReadDir(filepath.Dir(f.Path()))
	if err != nil || len(left) != 1 {
		t.Errorf("there is more than the file: %v, %v", left, err)
	}
}

func TestFileThatIsNotAsItShouldBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, []byte(`{"hosts": "tok-123"`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := At(path).Token("https://a.example")
	if err == nil || !strings.Contains(err.Error(), "party login") || strings.Contains(err.Error(), "tok-123") {
		t.Errorf("broken file: got error %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.WriteFile(path, []byte(`{"hosts": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := At(path).Hosts(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may read: got error %v", err)
	}
	if err := At(path).Set("https://a.example", NewSecret("x")); err == nil {
		t.Error("a token was put into a file that others may read")
	}
}

func TestFind(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "credentials.json"))
	if _, err := f.Find(Wish{Getenv: func(string) string { return "" }}); !errors.Is(err, ErrNoHost) {
		t.Errorf("Find without anything: got error %v", err)
	}
	for host, token := range map[string]string{"https://a.example": "ta", "https://b.example": "tb", "https://c.example": "tc"} {
		if err := f.Set(host, NewSecret(token)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Set("https://c.example", NewSecret("tc")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name              string
		flag, manifest    string
		envHost, envToken string
		address, token    string
		fromEnv           bool
	}{
		{name: "the file's current host", address: "https://c.example", token: "tc"},
		{name: "the manifest's", manifest: "b.example", address: "https://b.example", token: "tb"},
		{name: "the environment's host wins", manifest: "b.example", envHost: "a.example", address: "https://a.example", token: "ta"},
		{name: "a flag wins", flag: "b.example", envHost: "a.example", address: "https://b.example", token: "tb"},
		{name: "the environment's token wins", envToken: "te", address: "https://c.example", token: "te", fromEnv: true},
		{name: "both of the environment", envHost: "new.example", envToken: "te", address: "https://new.example", token: "te", fromEnv: true},
		{name: "its token goes to no other host than its own", flag: "b.example", envHost: "a.example", envToken: "te", address: "https://b.example", token: "tb"},
		{name: "a host without a token", flag: "new.example", address: "https://new.example"},
	} {
		env := map[string]string{EnvHost: test.envHost, EnvToken: test.envToken}
		got, err := f.Find(Wish{Flag: test.flag, Manifest: test.manifest, Getenv: func(k string) string { return env[k] }})
		if err != nil || got.Address != test.address || got.Token.Reveal() != test.token || got.FromEnv != test.fromEnv {
			t.Errorf("%s: got %q, token %q, from the environment %v, %v", test.name, got.Address, got.Token.Reveal(), got.FromEnv, err)
		}
	}
}

func TestSecretIsNotShown(t *testing.T) {
	login := Login{Address: "https://a.example", Token: NewSecret("tok-123")}
	var out bytes.Buffer
	hidden := struct{ login Login }{login}
	fmt.Fprintf(&out, "%v %+v %#v %s %q %v %+v %#v", login, login, login, login.Token, login.Token, hidden, hidden, hidden)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "login", login, "token", login.Token)
	if err := json.NewEncoder(&out).Encode(login); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "tok-123") {
		t.Errorf("the token is shown: %s", out.String())
	}
	if !strings.Contains(out.String(), "[secret]") {
		t.Errorf("nothing stands for the token: %s", out.String())
	}
}
