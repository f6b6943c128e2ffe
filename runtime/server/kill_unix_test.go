//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// How much of it there is.
const (
	killRooms   = 8
	killClients = 200 // every fourth of them by HTTP, the others by WebSocket
	killBells   = 8
	killTime    = 15 * time.Second
	alarmSlack  = 30 * time.Second // after a start, for alarms that are due
)

// ledgerClient writes its own numbers to a ledger, one after the other. It outlives the servers.
type ledgerClient struct {
	name, room string
	sent       int          // owned by its run
	acked      atomic.Int64 // the last one that was acknowledged, or read
	wrong      string       // what it has read that cannot be; owned by its run
}

// learn takes what a client's two keys hold, as a client has read them that knew before that seen was acknowledged.
func (c *ledgerClient) learn(by *ledgerClient, seen int64, a, b int) {
	switch {
	case a != b:
		by.wrong = fmt.Sprintf("it read half a turn of client %s: a is %d and b is %d", c.name, a, b)
	case int64(a) < seen:
		by.wrong = fmt.Sprintf("%d was acknowledged to client %s, and it read %d afterwards", seen, c.name, a)
	}
	storeMax(&c.acked, int64(a))
}

// byHTTP writes until the server is gone, and reads what others have acknowledged.
func (c *ledgerClient) byHTTP(ctx context.Context, url string, others []*ledgerClient) {
	for ctx.Err() == nil {
		c.sent = int(c.acked.Load()) + 1
		body, ok := httpDo(ctx, "PUT", fmt.Sprintf("%s/parties/ledger/%s?client=%s&n=%d", url, c.room, c.name, c.sent), "")
		if !ok {
			return
		}
		if n, err := strconv.Atoi(body); err == nil {
			storeMax(&c.acked, int64(n))
		}
		// Whatever a read shows counts as much as an acknowledgement. Every other time it is of its own numbers.
		other := c
		if rand.IntN(2) == 0 {
			other = others[rand.IntN(len(others))]
		}
		seen := other.acked.Load()
		body, ok = httpDo(ctx, "GET", fmt.Sprintf("%s/parties/ledger/%s?client=%s", url, other.room, other.name), "")
		if !ok {
			return
		}
		var entries map[string]int
		if json.Unmarshal([]byte(body), &entries) == nil {
			other.learn(c, seen, entries[other.name+"/a"], entries[other.name+"/b"])
		}
	}
}

func storeMax(to *atomic.Int64, n int64) {
	for old := to.Load(); old < n && !to.CompareAndSwap(old, n); old = to.Load() {
	}
}

// httpDo reports false if there was no complete answer of 200.
func httpDo(ctx context.Context, method, url, body string) (string, bool) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return string(data), err == nil && resp.StatusCode == 200
}

// bySocket writes until the server is gone, up to three numbers ahead of the acknowledgements. It begins with
// a look at what is there, and takes another one with every eighth number.
func (c *ledgerClient) bySocket(ctx context.Context, url string) {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(url, "http")+"/parties/ledger/"+c.room+"?_pk="+c.name, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { ws.Close() })()
	c.sent = int(c.acked.Load())
	seen := []int64{c.acked.Load()} // for each answer that is to come
	if ws.WriteMessage(websocket.TextMessage, []byte(ledgerQuestion)) != nil {
		return
	}
	for {
		for c.sent < int(c.acked.Load())+3 {
			c.sent++
			if ws.WriteMessage(websocket.TextMessage, []byte(strconv.Itoa(c.sent))) != nil {
				return
			}
			if c.sent%8 == 0 {
				seen = append(seen, c.acked.Load())
				if ws.WriteMessage(websocket.TextMessage, []byte(ledgerQuestion)) != nil {
					return
				}
			}
		}
		_, data, err := ws.ReadMessage()
		if err != nil {
			return
		}
		var a, b int
		if n, err := strconv.Atoi(string(data)); err == nil {
			storeMax(&c.acked, int64(n))
		} else if _, err := fmt.Sscanf(string(data), ledgerAnswer, &a, &b); err == nil {
			c.learn(c, seen[0], a, b)
			seen = seen[1:]
		} else {
			c.wrong = fmt.Sprintf("it was sent %q", data)
		}
	}
}

// check compares what is stored with what the client knows.
func (c *ledgerClient) check(t *testing.T, entries map[string]int) {
	t.Helper()
	if c.wrong != "" {
		t.Errorf("client %s: %s", c.name, c.wrong)
	}
	a, b := entries[c.name+"/a"], entries[c.name+"/b"]
	acked := int(c.acked.Load())
	switch {
	case a != b:
		t.Errorf("client %s: half a turn is stored, a is %d and b is %d", c.name, a, b)
	case a < acked:
		t.Errorf("client %s: %d was acknowledged, and %d is stored", c.name, acked, a)
	case a > max(c.sent, acked):
		t.Errorf("client %s: %d is stored, and %d was the last one sent", c.name, a, c.sent)
	}
	for n := max(1, a-logLength+1); n <= a; n++ {
		if entries[logKey(c.name, n)] != n {
			t.Errorf("client %s: number %d is not in the log, of %d", c.name, n, a)
		}
	}
	if _, more := entries[logKey(c.name, a+1)]; more || entries[logKey(c.name, a-logLength)] != 0 {
		t.Errorf("client %s: the log does not end where %d does", c.name, a)
	}
	c.acked.Store(int64(a)) // now it has been read
}

// alarms has one room ring every now and then.
type alarmClient struct {
	room  string
	sent  int
	acked int // armed and acknowledged
}

func (c *alarmClient) run(ctx context.Context, url string) {
	for ctx.Err() == nil {
		c.sent++
		body, ok := httpDo(ctx, "PUT", fmt.Sprintf("%s/parties/bell/%s?n=%d&ms=%d", url, c.room, c.sent, rand.IntN(400)), "")
		if !ok {
			return
		}
		if armed, _, ok := strings.Cut(body, " "); ok && armed == strconv.Itoa(c.sent) {
			c.acked = c.sent
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.IntN(600)) * time.Millisecond):
		}
	}
}

// check waits until what was acknowledged has rung.
func (c *alarmClient) check(t *testing.T, url string) {
	t.Helper()
	deadline := time.Now().Add(alarmSlack)
	for {
		body, ok := httpDo(t.Context(), "GET", url+"/parties/bell/"+c.room, "")
		var armed, rung int
		if _, err := fmt.Sscan(body, &armed, &rung); !ok || err != nil {
			t.Fatalf("bell %s: %q, %v", c.room, body, err)
		}
		if armed < c.acked || armed > c.sent {
			t.Errorf("bell %s: %d was acknowledged, %d sent, and %d is armed", c.room, c.acked, c.sent, armed)
		}
		if armed == rung {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("bell %s: %d is armed, and only %d has rung", c.room, armed, rung)
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			return
		}
	}
}

// unheard reports whether some client was never acknowledged anything.
func unheard(clients []*ledgerClient) bool {
	return slices.ContainsFunc(clients, func(c *ledgerClient) bool { return c.acked.Load() == 0 })
}

// TestKill kills servers under load at random moments, starts another one on the same folder, and looks for what clients
// have been told.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills servers for 15 s")
	}
	dir := t.TempDir()
	clients := make([]*ledgerClient, killClients)
	for n := range clients {
		clients[n] = &ledgerClient{name: fmt.Sprint("c", n), room: fmt.Sprint("r", n%killRooms)}
	}
	bells := make([]*alarmClient, killBells)
	for n := range bells {
		bells[n] = &alarmClient{room: fmt.Sprint("b", n)}
	}
	rounds := 0
	for begun := time.Now(); rounds < 3 || time.Since(begun) < killTime || unheard(clients) && time.Since(begun) < 8*killTime; rounds++ {
		if rounds%4 == 3 { // while it starts
			c := begin(t, dir, "ledger")
			select {
			case <-c.listening:
			case <-time.After(time.Duration(rand.IntN(40)) * time.Millisecond):
			}
			c.kill()
		}
		c := spawn(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for n, client := range clients {
			if n%4 == 0 {
				running.Go(func() { client.byHTTP(ctx, c.url, clients) })
			} else {
				running.Go(func() { client.bySocket(ctx, c.url) })
			}
		}
		for _, b := range bells {
			running.Go(func() { b.run(ctx, c.url) })
		}
		select {
		case <-time.After(time.Duration(100+rand.IntN(1200)) * time.Millisecond):
		case <-c.gone:
			t.Fatalf("the server has ended by itself:\n%s", c.output())
		}
		c.kill()
		cancel()
		running.Wait()
		http.DefaultClient.CloseIdleConnections()

		after := spawn(t, dir)
		for n := range killRooms {
			body, ok := httpDo(t.Context(), "GET", fmt.Sprintf("%s/parties/ledger/r%d", after.url, n), "")
			var entries map[string]int
			if err := json.Unmarshal([]byte(body), &entries); !ok || err != nil {
				t.Fatalf("room r%d: %q, %v", n, body, err)
			}
			for m := n; m < killClients; m += killRooms {
				clients[m].check(t, entries)
			}
		}
		for _, b := range bells {
			b.check(t, after.url)
		}
		after.kill()
		if t.Failed() {
			t.Logf("the server logged:\n%s", after.output())
			return
		}
	}
	total, least := int64(0), clients[0].acked.Load()
	for _, c := range clients {
		total += c.acked.Load()
		least = min(least, c.acked.Load())
	}
	armed := 0
	for _, b := range bells {
		armed += b.acked
	}
	if least == 0 || armed == 0 {
		t.Errorf("some client was never acknowledged anything: least %d, alarms %d", least, armed)
	}
	t.Logf("%d kills, %d numbers and %d alarms acknowledged", rounds, total, armed)
}
