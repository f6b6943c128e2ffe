package cli

import (
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func TestPrettyLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 67e6, time.Local)
	for _, test := range []struct {
		line api.LogLine
		want string
	}{
		{api.LogLine{Kind: api.KindRequest, Method: "GET", URL: "https://chat.example.com/party/a", Status: 200, Outcome: api.OK, MS: 12.4, IP: "::1", Room: "a"},
			"15:04:05.067 GET https://chat.example.com/party/a - 200 Ok (12 ms) ip=::1"},
		{api.LogLine{Kind: api.KindRequest, Method: "POST", URL: "/", Status: 500, Outcome: api.Err, MS: 0.2}, "15:04:05.067 POST / - 500 Error (1 ms)"},
		{api.LogLine{Kind: api.KindOpen, URL: "/party/a", Conn: "ada", Party: "chat", Room: "a"}, "15:04:05.067 OPEN /party/a party=chat room=a conn=ada"},
		{api.LogLine{Kind: api.KindClose, URL: "/party/a", Status: 1001, MS: 90_000}, "15:04:05.067 CLOSE /party/a after 1m30s - 1001"},
		{api.LogLine{Kind: api.KindLog, Level: "info", Message: "hello", Room: "a", Fields: map[string]any{"b": "x y", "a": 1.5, "c": "z"}},
			`15:04:05.067 hello room=a a=1.5 b="x y" c=z`},
		{api.LogLine{Kind: api.KindLog, Level: "error", Message: "two\nlines \x1b[31mred\u202e"}, "15:04:05.067 ERROR two\n             lines \\u001b[31mred\\u202e"},
		{api.LogLine{Kind: api.KindHost, Message: "started"}, "15:04:05.067 [host] started"},
		{api.LogLine{Kind: api.KindDropped, Count: 2}, "15:04:05.067 … 2 lines not kept, there were too many"},
	} {
		test.line.Time = at
		if got := pretty(&test.line); got != test.want {
			t.Errorf("pretty(%+v)\n got %q\nwant %q", test.line, got, test.want)
		}
	}
}
