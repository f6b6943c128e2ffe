package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dialLocal, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", resp.StatusCode, data)
}

// dialLocal finds every name below localhost on this machine, as browsers do and not every resolver does.
func dialLocal(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func openSocket(ts *testscript.TestScript, url string) *websocket.Conn {
	dialer := websocket.Dialer{NetDialContext: dialLocal, HandshakeTimeout: patience}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
	ts.Check(err)
	return ws
}

// say sends a text and waits for a message that matches.
func say(ts *testscript.TestScript, ws *websocket.Conn, text, re string) {
	want := regexp.MustCompile(re)
	ts.Check(ws.SetReadDeadline(time.Now().Add(patience)))
	ts.Check(ws.WriteMessage(websocket.TextMessage, []byte(text)))
	var seen []string
	for {
		_, data, err := ws.ReadMessage()
		if err != nil {
			ts.Fatalf("no message matches %q: %v; there came %q", want, err, seen)
		}
		if want.Match(data) {
			return
		}
		seen = append(seen, string(data))
	}
}

func cmdSocket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: socket URL TEXT REGEXP")
	}
	ws := openSocket(ts, args[0])
	defer ws.Close()
	say(ts, ws, args[1], args[2])
}

type socketsKey struct{}

func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold NAME URL")
	}
	ws := openSocket(ts, args[1])
	ts.Defer(func() { ws.Close() })
	ts.Value(socketsKey{}).(map[string]*websocket.Conn)[args[0]] = ws
}

func cmdSay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: say NAME TEXT REGEXP")
	}
	ws := ts.Value(socketsKey{}).(map[string]*websocket.Conn)[args[0]]
	if ws == nil {
		ts.Fatalf("no socket is held as %s", args[0])
	}
	say(ts, ws, args[1], args[2])
}

func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if strings.Count(text, args[1]) != 1 {
		ts.Fatalf("%s does not have %q once", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}
