package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/manifest"
)

func TestAppendMigration(t *testing.T) {
	step := manifest.Migration{Tag: "v2", New: []string{"B"}}
	tests := []struct{ name, source, want string }{
		{"no key, trailing comma", "{\n  \"name\": \"a\", // c\n}\n",
			"{\n  \"name\": \"a\", // c\n  \"migrations\": [\n    {\"tag\": \"v2\", \"new\": [\"B\"]}\n  ],\n}\n"},
		{"no key, no trailing comma, tabs", "{\n\t\"name\": \"a\" // c\n}",
			"{\n\t\"name\": \"a\", // c\n\t\"migrations\": [\n\t\t{\"tag\": \"v2\", \"new\": [\"B\"]}\n\t]\n}"},
		{"empty manifest", "{}\n", "{\n  \"migrations\": [\n    {\"tag\": \"v2\", \"new\": [\"B\"]}\n  ]\n}\n"},
		{"one line", `{"name": "a"}`, `{"name": "a", "migrations": [{"tag": "v2", "new": ["B"]}]}`},
		{"empty list", "{\n    \"migrations\": []\n}", "{\n    \"migrations\": [\n        {\"tag\": \"v2\", \"new\": [\"B\"]}\n    ]\n}"},
		{"list with a comment", "{\n  \"migrations\": [\n    // none yet\n  ],\n}",
			"{\n  \"migrations\": [\n    // none yet\n    {\"tag\": \"v2\", \"new\": [\"B\"]}\n  ],\n}"},
		{"list on one line", `{"migrations": [{"tag": "v1"}, /* c */ ]}`, `{"migrations": [{"tag": "v1"}, {"tag": "v2", "new": ["B"]}, /* c */ ]}`},
		{"list with comments", "{\n  \"migrations\": [\n      {\"tag\": \"v1\"} // first\n    // more\n  ] // end\n}",
			"{\n  \"migrations\": [\n      {\"tag\": \"v1\"}, // first\n    // more\n      {\"tag\": \"v2\", \"new\": [\"B\"]}\n  ] // end\n}"},
		{"windows", "{\r\n  \"migrations\": [\r\n    {\"tag\": \"v1\"},\r\n  ],\r\n}\r\n",
			"{\r\n  \"migrations\": [\r\n    {\"tag\": \"v1\"},\r\n    {\"tag\": \"v2\", \"new\": [\"B\"]},\r\n  ],\r\n}\r\n"},
		{"mistakes elsewhere", "{\"prot\": 1, \"migrations\": [1]}", `{"prot": 1, "migrations": [1, {"tag": "v2", "new": ["B"]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := manifest.AppendMigration([]byte(tt.source), step)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(got), tt.want); d != "" {
				t.Errorf("edited (-got +want):\n%s", d)
			}
		})
	}
}

func TestAppendedMigrationIsReadBack(t *testing.T) {
	want := []manifest.Migration{
		{Tag: "a", New: []string{"A", "B"}},
		{Tag: "b", Renamed: []manifest.Rename{{From: "A", To: "X"}, {From: "B", To: `Y"é`}}, Deleted: []string{"C"}},
		{Tag: "c"},
	}
	source := []byte("{}")
	for _, m := range want {
		var err error
		if source, err = manifest.AppendMigration(source, m); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(parse(t, string(source)).Migrations, want, plain); d != "" {
		t.Errorf("migrations of %s (-got +want):\n%s", source, d)
	}
}

func TestAddParty(t *testing.T) {
	tests := []struct{ source, want string }{
		{"{}", "{\n  \"parties\": {\n    \"chat\": \"Chat\"\n  }\n}"},
		{`{"parties": {"a": "A"}}`, `{"parties": {"a": "A", "chat": "Chat"}}`},
		{"{\n  \"parties\": {\n    \"a\": \"A\", // c\n  },\n}", "{\n  \"parties\": {\n    \"a\": \"A\", // c\n    \"chat\": \"Chat\",\n  },\n}"},
	}
	for _, tt := range tests {
		got, err := manifest.AddParty([]byte(tt.source), "chat", "Chat")
		if d := cmp.Diff(string(got), tt.want); d != "" || err != nil {
			t.Errorf("%s: %v (-got +want):\n%s", tt.source, err, d)
		}
	}
}

func TestEditErrors(t *testing.T) {
	tests := []struct{ source, tag, want string }{
		{`{"migrations": [{"tag": "v1"}]}`, "v1", `append migration "v1": duplicate tag "v1"`},
		{`{"migrations": {}}`, "v1", `append migration "v1": "migrations" is an object`},
		{`[]`, "v1", `append migration "v1": the manifest is a list`},
		{"{\n", "v1", `append migration "v1": line 2: the file ends too early`},
		{`{}`, "", `append migration "": "migrations[0].tag" must be a word without spaces, not ""`},
	}
	for _, tt := range tests {
		got, err := manifest.AppendMigration([]byte(tt.source), manifest.Migration{Tag: tt.tag})
		if err == nil || err.Error() != tt.want || got != nil {
			t.Errorf("%s and tag %q: %q, %v, want the error %s", tt.source, tt.tag, got, err, tt.want)
		}
	}
	if _, err := manifest.AddParty([]byte(`{"parties": {"chat": "A"}}`), "chat", "Chat"); err == nil || !strings.Contains(err.Error(), "duplicate key") {
		t.Errorf("adding a party twice: %v", err)
	}
	if _, err := manifest.AddParty([]byte(`{}`), "Chat", "Chat"); err == nil {
		t.Error("adding a party with a bad name has no error")
	}
}

func FuzzEdit(f *testing.F) {
	f.Add([]byte("{\n  \"migrations\": [\n    {\"tag\": \"v1\"} // c\n  ]}"), "v2", "T")
	f.Add([]byte("{/*a*/}//"), "t", "T")
	f.Add([]byte("{\"parties\": {/*\n*/}, }"), "t", "T")
	f.Fuzz(func(t *testing.T, data []byte, tag, typ string) {
		tag, typ = strings.ToValidUTF8(tag, "?"), strings.ToValidUTF8(typ, "?")
		m, list := manifest.Parse("", data)
		out, err := manifest.AppendMigration(data, manifest.Migration{Tag: tag, New: []string{typ}})
		if err != nil {
			return
		}
		if len(list) > 0 {
			return // what was there is wrong, and stays so
		}
		after, list := manifest.Parse("", out)
		if len(list) > 0 || len(after.Migrations) != len(m.Migrations)+1 {
			t.Fatalf("%q became %q: %v", data, out, list)
		}
		if got := after.Migrations[len(m.Migrations)]; got.Tag != tag || len(got.New) != 1 || got.New[0] != typ {
			t.Errorf("%q with tag %q became %q", data, tag, out)
		}
		// Nothing that was there is gone.
		rest := out
		for _, c := range data {
			i := strings.IndexByte(string(rest), c)
			if i < 0 {
				t.Fatalf("%q became %q", data, out)
			}
			rest = rest[i+1:]
		}
	})
}
