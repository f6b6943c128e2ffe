package cli

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

func cmdRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: request METHOD URL [BODY]")
	}
	var body io.Reader
	if len(args) == 3 {
		body = strings.NewReader(args[2])
	}
	req, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	client := &http.Client{Timeout: patience}
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", resp.StatusCode, data)
}

func cmdSocket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: socket URL TEXT REGEXP")
	}
	want := regexp.MustCompile(args[2])
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(args[0], "http"), nil)
	ts.Check(err)
	defer ws.Close()
	ts.Check(ws.SetReadDeadline(time.Now().Add(patience)))
	ts.Check(ws.WriteMessage(websocket.TextMessage, []byte(args[1])))
	var seen []string
	for {
		_, data, err := ws.ReadMessage()
		if err != nil {
			ts.Fatalf("no message matches %q: %v; there came %q", args[2], err, seen)
		}
		if want.Match(data) {
			return
		}
		seen = append(seen, string(data))
	}
}
