package manifest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

var update = flag.Bool("update", false, "write schema.json")

func TestSchemaIsCurrent(t *testing.T) {
	want := manifest.Schema()
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schema.json is not what the table of keys says; run: go test ./internal/manifest -run Schema -update")
	}
}

func readExample(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "party.json.example"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestExampleIsValid(t *testing.T) {
	data := readExample(t)
	m, list := manifest.Parse("party.json.example", data)
	if len(list) > 0 {
		t.Errorf("the example has diagnostics:\n%s", diag.Renderer{}.String(list))
	}
	if problems := validate(schema(t), value(t, data), "$"); len(problems) > 0 {
		t.Errorf("the schema refuses the example: %v", problems)
	}
	if got, want := m.Limits, manifest.DefaultLimits(); got != want {
		t.Errorf("the example's limits are %+v, not the defaults %+v", got, want)
	}
}

// TestExampleIsComplete follows every key of the schema into the example.
func TestExampleIsComplete(t *testing.T) {
	var follow func(s, v any, at string) int
	follow = func(s, v any, at string) (keys int) {
		node := s.(map[string]any)
		for _, alt := range elements(node["anyOf"]) {
			keys += follow(alt, v, at)
		}
		if items, ok := node["items"]; ok {
			// Elements may show different keys: together they show all.
			all := map[string]any{}
			for _, e := range elements(v) {
				if m, ok := e.(map[string]any); ok {
					for k, v := range m {
						all[k] = v
					}
				}
			}
			return keys + follow(items, all, at+"[]")
		}
		properties, _ := node["properties"].(map[string]any)
		object, _ := v.(map[string]any)
		for name, sub := range properties {
			keys++
			if _, ok := object[name]; !ok {
				t.Errorf("the example does not show %s.%s", at, name)
				continue
			}
			keys += follow(sub, object[name], at+"."+name)
		}
		return keys
	}
	if keys := follow(schema(t), value(t, readExample(t)), "$"); keys < 50 {
		t.Errorf("only %d keys were found in the schema", keys)
	}
}

// TestSchemaAgrees checks manifests with both the parser and the schema.
func TestSchemaAgrees(t *testing.T) {
	tests := []struct {
		source string
		valid  bool
	}{
		{`{}`, true},
		{`[]`, false},
		{`{"port": 1}`, true},
		{`{"port": 65536}`, false},
		{`{"port": 1.5}`, false},
		{`{"name": "a-b"}`, true},
		{`{"name": "A"}`, false},
		{`{"serve": "public"}`, true},
		{`{"serve": {"path": "p", "build": "a.ts", "edgeTTL": null}}`, true},
		{`{"serve": {"build": "a.ts"}}`, false},
		{`{"serve": {"path": "p", "build": {"entry": []}}}`, false},
		{`{"serve": {"path": "p", "build": {"entry": "a", "format": "umd"}}}`, false},
		{`{"serve": 5}`, false},
		{`{"persist": false}`, true},
		{`{"persist": ""}`, false},
		{`{"vars": {"A": [1, {"b": null}]}}`, true},
		{`{"vars": {"A B": 1}}`, false},
		{`{"build": {"watch": "a"}}`, true},
		{`{"migrations": [{"tag": "a", "renamed": [{"from": "x"}]}]}`, false},
		{`{"migrations": [{"new": []}]}`, false},
		{`{"limits": {"idleSeconds": 0.5}}`, true},
		{`{"limits": {"idleSeconds": 0}}`, false},
		{`{"limits": {"connections": -1}}`, false},
		{`{"cors": true}`, true},
		{`{"cors": {"headers": {"A B": "c"}}}`, false},
		{`{"unknown": 1}`, false},
		{`{"deploy": {"name": null}}`, false},
	}
	s := schema(t)
	for _, tt := range tests {
		_, list := manifest.Parse("party.json", []byte(tt.source))
		if got := len(list) == 0; got != tt.valid {
			t.Errorf("Parse takes %s: %v, want %v (%v)", tt.source, got, tt.valid, list)
		}
		problems := validate(s, value(t, []byte(tt.source)), "$")
		if got := len(problems) == 0; got != tt.valid {
			t.Errorf("the schema takes %s: %v, want %v (%v)", tt.source, got, tt.valid, problems)
		}
	}
}

func schema(t *testing.T) any { return value(t, manifest.Schema()) }

func value(t *testing.T, source []byte) (v any) {
	t.Helper()
	data, err := hujson.Standardize(source)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func elements(v any) []any {
	s, _ := v.([]any)
	return s
}

// validate is as much of JSON Schema as the manifest's has.
func validate(schema, v any, at string) (problems []string) {
	s := schema.(map[string]any)
	wrong := func(rule string) { problems = append(problems, at+": "+rule) }
	if alts := elements(s["anyOf"]); len(alts) > 0 && !slices.ContainsFunc(alts, func(alt any) bool { return len(validate(alt, v, at)) == 0 }) {
		wrong("anyOf")
	}
	if want, ok := s["type"]; ok && want != kind(v) && (want != "number" || kind(v) != "integer") {
		wrong("type")
	}
	if enum := elements(s["enum"]); len(enum) > 0 && !slices.Contains(enum, v) {
		wrong("enum")
	}
	switch v := v.(type) {
	case string:
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			wrong("pattern")
		}
	case float64:
		if n, ok := s["minimum"].(float64); ok && v < n {
			wrong("minimum")
		}
		if n, ok := s["exclusiveMinimum"].(float64); ok && v <= n {
			wrong("exclusiveMinimum")
		}
		if n, ok := s["maximum"].(float64); ok && v > n {
			wrong("maximum")
		}
	case []any:
		if n, ok := s["minItems"].(float64); ok && float64(len(v)) < n {
			wrong("minItems")
		}
		for _, e := range v {
			if items, ok := s["items"]; ok {
				problems = append(problems, validate(items, e, at+"[]")...)
			}
		}
	case map[string]any:
		for _, name := range elements(s["required"]) {
			if _, ok := v[name.(string)]; !ok {
				wrong("required")
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, e := range v {
			if names, ok := s["propertyNames"]; ok {
				problems = append(problems, validate(names, name, at+" key")...)
			}
			sub, ok := properties[name]
			if !ok {
				sub, ok = s["additionalProperties"].(map[string]any)
				if additional, bad := s["additionalProperties"].(bool); bad && !additional {
					wrong("additionalProperties")
				}
			}
			if ok {
				problems = append(problems, validate(sub, e, strings.Join([]string{at, name}, "."))...)
			}
		}
	}
	return problems
}

func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	default:
		return "object"
	}
}
