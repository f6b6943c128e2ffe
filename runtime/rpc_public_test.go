package party_test

import (
	"io"
	"strings"
	"testing"

	"github.com/goparty-dev/party/runtime/partytest"
)

func TestPublicCalls(t *testing.T) {
	app := accounts(nil)
	app.Rooms[0].Methods[0].Public = true // Add
	s := partytest.New(t, app, quiet())
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string // beginning of the answer
	}{
		{"results", "POST", "/party/ada/_call/Add", `[2, ["a", "b"]]`, 200, `[2,"a+b"]`},
		{"by the party's name", "POST", "/parties/account/ada/_call/Add", `[1, null]`, 200, `[3,""]`},
		{"the method's error", "POST", "/party/ada/_call/Add", `[-9, null]`, 422, `{"message":"add -9: broke","known":{"errBroke":null}}`},
		{"an error with data", "POST", "/party/ada/_call/Add", `[101, null]`, 422, `{"message":"more than 100","known":{"limitError":{"Limit":100}}}`},
		{"a panic", "POST", "/party/ada/_call/Add", `[13, null]`, 500, "internal error, request "},
		{"wrong type", "POST", "/party/ada/_call/Add", `["a", null]`, 400, "decode arguments: "},
		{"too few", "POST", "/party/ada/_call/Add", `[]`, 400, "decode arguments: got 0, want 2"},
		{"too many", "POST", "/party/ada/_call/Add", `[1, [], 3]`, 400, "decode arguments: got 3, want 2"},
		{"no list", "POST", "/party/ada/_call/Add", `{}`, 400, "decode arguments: "},
		{"not public", "POST", "/party/ada/_call/Pay", `["bob", 1]`, 404, "Not implemented"},
		{"not there", "POST", "/party/ada/_call/Nothing", `[]`, 404, "Not implemented"},
		{"not a POST", "GET", "/party/ada/_call/Add", "", 404, "Not implemented"},
	} {
		resp := s.Request(c.method, c.path, c.body)
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.status || !strings.HasPrefix(string(b), c.want) {
			t.Errorf("%s: got %d %s, want %d %s", c.name, resp.StatusCode, b, c.status, c.want)
		}
	}
}
