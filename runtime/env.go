package party

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Env holds the configured variables: "vars" of the manifest, .env files and
// --var. It is read-only. Its values never appear when it is printed or logged.
type Env struct{ vars map[string]json.RawMessage }

// parseEnv reads a JSON object; empty data is an empty environment.
func parseEnv(data []byte) (Env, error) {
	var e Env
	if len(data) == 0 {
		return e, nil
	}
	if err := json.Unmarshal(data, &e.vars); err != nil {
		return Env{}, fmt.Errorf("read variables: %w", err)
	}
	return e, nil
}

// Lookup returns a variable as text: a JSON string as its value, anything
// else as its JSON.
func (e Env) Lookup(name string) (string, bool) {
	raw, ok := e.vars[name]
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

// Decode decodes a variable as JSON into v, and reports whether it is set. The error does not
// show the value.
func (e Env) Decode(name string, v any) (bool, error) {
	raw, ok := e.vars[name]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return true, fmt.Errorf("variable %s is not a %T", name, v)
	}
	return true, nil
}

// Names returns the names of the variables, sorted.
func (e Env) Names() []string {
	names := make([]string, 0, len(e.vars))
	for n := range e.vars {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// String names the variables without their values.
func (e Env) String() string { return fmt.Sprintf("Env%v", e.Names()) }

// GoString is String, so that %#v shows no value either.
func (e Env) GoString() string { return e.String() }
