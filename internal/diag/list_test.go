package diag_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
)

func TestSorted(t *testing.T) {
	at := func(file string, line, column int) diag.Position {
		return diag.Position{File: file, Line: line, Column: column}
	}
	related := []diag.Related{{Pos: at("c", 1, 1), Message: "r"}}
	list := diag.List{
		{Pos: at("b", 1, 1), Message: "m"},
		{Pos: at("a", 2, 9), Message: "m"},
		{Pos: at("a", 2, 9), Severity: diag.Warning, Message: "a"},
		{Pos: at("a", 10, 1), Message: "m", Related: related},
		{Pos: at("a", 10, 1), Message: "m"},
		{Pos: at("a", 10, 1), Message: "m", Related: related},
		{Message: "nowhere"},
		{Pos: at("b", 1, 1), Message: "m"},
	}
	before := append(diag.List(nil), list...)
	want := diag.List{
		{Message: "nowhere"},
		{Pos: at("a", 2, 9), Message: "m"},
		{Pos: at("a", 2, 9), Severity: diag.Warning, Message: "a"},
		{Pos: at("a", 10, 1), Message: "m"},
		{Pos: at("a", 10, 1), Message: "m", Related: related},
		{Pos: at("b", 1, 1), Message: "m"},
	}
	if d := cmp.Diff(list.Sorted(), want); d != "" {
		t.Errorf("sorted (-got +want):\n%s", d)
	}
	if d := cmp.Diff(list, before); d != "" {
		t.Errorf("Sorted changed its receiver (-got +want):\n%s", d)
	}
}

func TestErr(t *testing.T) {
	var list diag.List
	if err := list.Err(); err != nil {
		t.Errorf("an empty list is the error %v", err)
	}
	list.Warnf(diag.Position{}, "", "careful")
	if err := list.Err(); err != nil || list.HasErrors() {
		t.Errorf("a warning is the error %v", err)
	}
	list.Errorf(diag.Position{File: "a.go", Line: 3, Column: 4}, "broken", "no %s", "way").Hint = "none"
	err := list.Err()
	if err == nil || !list.HasErrors() {
		t.Fatal("a list with an error is no error")
	}
	if want := "warning: careful\na.go:3:4: error: no way [broken]"; err.Error() != want {
		t.Errorf("error reads %q, want %q", err, want)
	}
	if got, ok := errors.AsType[diag.List](err); !ok || got[1].Hint != "none" {
		t.Errorf("the list in the error is %v", got)
	}
}

func TestJSON(t *testing.T) {
	list := diag.List{{
		Severity: diag.Warning, Pos: diag.Position{File: "a.go", Line: 3, Column: 4}, Code: "c", Message: "m", Hint: "h",
		Related: []diag.Related{{Pos: diag.Position{File: "b.go"}, Message: "r"}},
	}}
	got, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"severity":"warning","pos":{"file":"a.go","line":3,"column":4},"code":"c","message":"m","hint":"h","related":[{"pos":{"file":"b.go"},"message":"r"}]}]`
	if d := cmp.Diff(string(got), want); d != "" {
		t.Errorf("as JSON (-got +want):\n%s", d)
	}
	var back diag.List
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(back, list); d != "" {
		t.Errorf("read back (-got +want):\n%s", d)
	}
	if got, err := json.Marshal(diag.List(nil)); err != nil || string(got) != "[]" {
		t.Errorf("a nil list is %s, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`[{"severity":"fatal"}]`), &back); err == nil {
		t.Error("an unknown severity is read without an error")
	}
}
