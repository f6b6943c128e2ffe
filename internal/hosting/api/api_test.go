package api

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckInstance(t *testing.T) {
	for name, ok := range map[string]bool{
		"chat": true, "a": true, "1": true, "my-app-2": true, "chat--feature": true, "chat--a-b": true,
		strings.Repeat("a", 63): true, strings.Repeat("a", 30) + "--" + strings.Repeat("b", 31): true,
		"": false, "-": false, "--": false, "-a": false, "a-": false, "a--": false, "--a": false, "a---b": false, "a--b--c": false,
		"Chat": false, "a.b": false, "a/b": false, "..": false, ".": false, "a\x00": false, "a b": false, "ä": false, "a_b": false, "a\n": false,
		"xn": false, "xn--abc": false, "www": false,
		strings.Repeat("a", 64): false, strings.Repeat("a", 31) + "--" + strings.Repeat("b", 31): false,
	} {
		err := CheckInstance(name)
		if (err == nil) != ok {
			t.Errorf("CheckInstance(%q) = %v, want ok: %v", name, err, ok)
		}
		if err != nil && errors.As(err, new(*NameError)) == false {
			t.Errorf("CheckInstance(%q): got error of type %T, want *NameError", name, err)
		}
		if app, preview := SplitInstance(name); ok && InstanceName(app, preview) != name {
			t.Errorf("InstanceName(SplitInstance(%q)) = %q", name, InstanceName(app, preview))
		}
	}
}

func FuzzCheckInstance(f *testing.F) {
	f.Add("chat--feature")
	f.Add("../x")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckInstance(name) != nil {
			return
		}
		if strings.ContainsAny(name, "/\\.\x00 ") || name == "" || len(name) > MaxName || CheckDomain(name+".example.com") != nil {
			t.Errorf("CheckInstance accepts %q", name)
		}
	})
}

func TestCheckDomain(t *testing.T) {
	for name, ok := range map[string]bool{
		"chat.example.com": true, "a.b": true, "xn--bcher-kva.example": true, "1.example.com": true,
		"": false, "localhost": false, "a..b": false, ".a.b": false, "a.b.": false, "A.b": false, "a b.c": false, "*.example.com": false,
		"127.0.0.1": false, "[::1]": false, "a.b:80": false, "-a.b": false, "a-.b": false, "a_b.c": false, "a/b.c": false,
		strings.Repeat("a", 64) + ".b": false, strings.Repeat("a.", 126) + "ab": false,
	} {
		if err := CheckDomain(name); (err == nil) != ok {
			t.Errorf("CheckDomain(%q) = %v, want ok: %v", name, err, ok)
		}
	}
}

func TestCheckVar(t *testing.T) {
	for name, ok := range map[string]bool{
		"A": true, "_a.b-c": true, strings.Repeat("A", 256): true,
		"": false, "1A": false, "A=B": false, "A\n": false, "A B": false, strings.Repeat("A", 257): false,
	} {
		if err := CheckVar(name); (err == nil) != ok {
			t.Errorf("CheckVar(%q) = %v, want ok: %v", name, err, ok)
		}
	}
}

func TestTokenScope(t *testing.T) {
	scoped := Token{Apps: []string{"chat", "game--beta"}, Rights: []Right{Deploy}}
	admin := Token{Rights: []Right{Admin}}
	for _, test := range []struct {
		token Token
		right Right
		app   string
		want  bool
	}{
		{scoped, Deploy, "chat", true},
		{scoped, Deploy, "chat--feature", true},
		{scoped, Deploy, "game--beta", true},
		{scoped, Deploy, "game", false},
		{scoped, Deploy, "game--alpha", false},
		{scoped, Deploy, "chatter", false},
		{scoped, Read, "chat", false},
		{admin, Data, "anything", true},
		{Token{}, Read, "chat", false},
	} {
		if got := test.token.Allows(test.right, test.app); got != test.want {
			t.Errorf("%+v allows %s of %s: %v, want %v", test.token, test.right, test.app, got, test.want)
		}
	}
	if scoped.Everywhere(Deploy) || !admin.Everywhere(Deploy) {
		t.Error("Everywhere does not look at the scope")
	}
}

func TestLogQueryRoundTrip(t *testing.T) {
	for _, want := range []*LogQuery{
		{},
		{
			Follow: true, Lines: 10, Outcomes: []Outcome{OK, Canceled}, Methods: []string{"GET", "POST"}, Search: "a b&c", Sampling: 0.25,
			Headers: []HeaderMatch{{Name: "x-a"}, {"x-b", "c:d"}}, IPs: []string{"self", "::1"}, Conns: []string{"me"}, Kinds: []string{KindLog},
		},
	} {
		values, err := url.ParseQuery(want.Values().Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLogQuery(values)
		if diff := cmp.Diff(got, want); err != nil || diff != "" {
			t.Errorf("ParseLogQuery(%v) = %v, -got +want:\n%s", values, err, diff)
		}
	}
}

func TestParseLogQueryRefuses(t *testing.T) {
	for _, query := range []string{"follow=perhaps", "lines=-1", "lines=x", "lines=10001", "sampling=0", "sampling=1.1", "sampling=NaN", "status=good", "header=:x"} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := ParseLogQuery(v); err == nil {
			t.Errorf("ParseLogQuery(%q) = %+v, want an error", query, q)
		}
	}
}
