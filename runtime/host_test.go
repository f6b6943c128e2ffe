package party

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
)

type plain struct{ Room }

func TestNewHostChecks(t *testing.T) {
	d := func(name string, opts ...DefineOption) Definition { return Define[plain](name, opts...) }
	for _, test := range []struct {
		name string
		app  App
		want string // part of the error
	}{
		{"fine", App{Generated: GeneratedVersion, Rooms: []Definition{d("a"), d("b-2", AsMain())}}, ""},
		{"other version", App{Generated: GeneratedVersion + 1}, `run "party generate"`},
		{"upper case", App{Rooms: []Definition{d("Chat")}}, `party name "Chat"`},
		{"empty name", App{Rooms: []Definition{d("")}}, `party name ""`},
		{"double hyphen", App{Rooms: []Definition{d("a--b")}}, `party name "a--b"`},
		{"slash", App{Rooms: []Definition{d("a/b")}}, `party name "a/b"`},
		{"twice", App{Rooms: []Definition{d("a"), d("a")}}, `two room types are named "a": plain and plain`},
		{"two mains", App{Rooms: []Definition{d("a", AsMain()), d("b", AsMain())}}, "two room types are the main party"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewHost(&test.app, HostOptions{})
			if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := NewHost(&App{}, HostOptions{Vars: []byte(`["secret"]`)}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("bad variables: %v", err)
	}
}

func TestInfo(t *testing.T) {
	h, err := NewHost(&App{
		Rooms:         []Definition{Define[plain]("a", AsHibernating()), Define[plain]("b")},
		BeforeConnect: []BeforeHook{{Party: "b"}},
		BeforeRequest: []BeforeHook{{}},
		Crons:         []CronHook{{Name: "tick"}},
	}, HostOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := link.Info{Crons: []string{"tick"}, Parties: []link.Party{
		{Name: "a", Type: "plain", Hibernate: true, BeforeRequest: true},
		{Name: "b", Type: "plain", BeforeRequest: true, BeforeConnect: true},
	}}
	if diff := cmp.Diff(h.Info(), want); diff != "" {
		t.Error(diff)
	}
}

// TestEnvIsNeverShown prints and logs an environment in every way.
func TestEnvIsNeverShown(t *testing.T) {
	e, err := parseEnv([]byte(`{"TEXT": "secret"}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "Env[TEXT]"
	for verb := rune(' '); verb < 127; verb++ {
		if verb == '%' || strings.ContainsRune(" +-#0123456789.*[", verb) {
			continue
		}
		for _, flags := range []string{"%", "%+", "%#", "%-20", "%08"} {
			got := fmt.Sprintf(flags+string(verb), e)
			if !strings.Contains(got, want) && !strings.ContainsRune("Tpw", verb) { // which ask no methods
				t.Errorf("%s%c prints %q, want %s", flags, verb, got, want)
			}
			for _, bytes := range []string{"115 101", "+115 +101", "0x73, 0x65"} { // as fmt would show "se"
				if strings.Contains(got, bytes) || strings.Contains(got, "secret") {
					t.Errorf("%s%c prints %q", flags, verb, got)
				}
			}
		}
	}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		log.Reset()
		slog.New(h).Info("start", "env", e, "all", []any{e})
		if got := log.String(); !strings.Contains(got, want) || strings.Contains(got, "secret") || strings.Contains(got, "c2VjcmV0") {
			t.Errorf("%T logs %s", h, got)
		}
	}
	if data, err := json.Marshal(map[string]any{"env": e}); err != nil || strings.Contains(string(data), "secret") {
		t.Errorf("as JSON: %s, %v", data, err)
	}
}

func TestEnv(t *testing.T) {
	e, err := parseEnv([]byte(`{"TEXT": "secret", "NUMBER": 5, "LIST": ["a", "b"], "EMPTY": "",
		"COUNT": "6", "ON": "true", "NAMES": "[\"x\"]"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"TEXT": "secret", "NUMBER": "5", "LIST": `["a", "b"]`, "EMPTY": "", "NONE": ""} {
		if got := e.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, ok := e.Lookup("EMPTY"); !ok {
		t.Error("EMPTY is not set")
	}
	if _, ok := e.Lookup("NONE"); ok {
		t.Error("NONE is set")
	}
	var n int
	if ok, err := e.Decode("NUMBER", &n); !ok || n != 5 || err != nil {
		t.Errorf("Decode: %d, %v, %v", n, ok, err)
	}
	if ok, err := e.Decode("TEXT", &n); !ok || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Decode of the wrong type: %v, %v", ok, err)
	}
	for name, want := range map[string]any{"COUNT": 6, "ON": true, "NAMES": []string{"x"}, "NUMBER": 5.0, "TEXT": "secret"} {
		got := reflect.New(reflect.TypeOf(want))
		if _, err := e.Decode(name, got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), want) {
			t.Errorf("Decode of %s: %v, %v, want %v", name, got.Elem(), err, want)
		}
	}
	var list []int
	if _, err := e.Decode("NAMES", &list); err == nil || err.Error() != "variable NAMES does not fit into a []int" {
		t.Errorf("Decode of the wrong type: %v", err)
	}
	if got := (Env{}).Names(); len(got) != 0 {
		t.Errorf("the zero Env has %v", got)
	}
}
