package party

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// Env holds the configured variables: "vars" of the manifest, .env files and
// --var. It is read-only. Its values never appear when it is printed or logged. The environment
// of the process, os.Getenv, is something else, which party leaves alone: --var NAME takes a variable from there.
type Env struct {
	// Behind a pointer because fmt goes around methods in places, and shows no more than the
	// address of what is behind one.
	vars *variables
}

type variables map[string]json.RawMessage

func (e Env) all() variables {
	if e.vars == nil {
		return nil
	}
	return *e.vars
}

// parseEnv reads a JSON object; empty data is an empty environment.
func parseEnv(data []byte) (Env, error) {
	if len(data) == 0 {
		return Env{}, nil
	}
	var vars variables
	if err := json.Unmarshal(data, &vars); err != nil {
		return Env{}, fmt.Errorf("read variables: %w", err)
	}
	return Env{&vars}, nil
}

// Lookup returns a variable as text: a JSON string as its value, anything
// else as its JSON.
func (e Env) Lookup(name string) (string, bool) {
	raw, ok := e.all()[name]
	if !ok {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	return string(raw), true
}

// Get is Lookup with "" for a variable that is not set.
func (e Env) Get(name string) string {
	s, _ := e.Lookup(name)
	return s
}

// Decode decodes a variable as JSON into v, and reports whether it is set. What .env files and --var
// say is text, and is read as JSON where v does not take text: the 5 in MAX=5 goes into an int, as
// the one in "vars": {"MAX": 5} does. The error does not show the value.
func (e Env) Decode(name string, v any) (bool, error) {
	raw, ok := e.all()[name]
	if !ok {
		return false, nil
	}
	if json.Unmarshal(raw, v) == nil {
		return true, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || json.Unmarshal([]byte(text), v) != nil {
		return true, fmt.Errorf("variable %s does not fit into a %s", name, strings.TrimPrefix(fmt.Sprintf("%T", v), "*"))
	}
	return true, nil
}

// Names returns the names of the variables, sorted.
func (e Env) Names() []string {
	names := make([]string, 0, len(e.all()))
	for n := range e.all() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// String names the variables without their values.
func (e Env) String() string { return fmt.Sprintf("Env%v", e.Names()) }

// Format is String for every verb, so that none shows a value.
func (e Env) Format(f fmt.State, _ rune) { io.WriteString(f, e.String()) }

// LogValue is String, for slog.
func (e Env) LogValue() slog.Value { return slog.StringValue(e.String()) }
