//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// talker sends the next number when it has heard its last one, and wants to hear all that is said in the room, once and in order.
type talker struct {
	name, url, host string
	said            int
}

// talk goes on until ctx ends and the last number is back.
func (c *talker) talk(ctx context.Context) error {
	d := websocket.Dialer{HandshakeTimeout: patience}
	ws, _, err := d.Dial(c.url, map[string][]string{"Host": {c.host}})
	if err != nil {
		return err
	}
	defer ws.Close()
	send := func() error {
		c.said++
		return ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "%s %d", c.name, c.said))
	}
	if err := send(); err != nil {
		return err
	}
	for last := 0; ; {
		ws.SetReadDeadline(time.Now().Add(patience))
		_, data, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("after %d of its own: %w", c.said, err)
		}
		var n, number int
		var version, who string
		if _, err := fmt.Sscan(string(data), &n, &version, &who, &number); err != nil {
			return fmt.Errorf("got %q: %w", data, err)
		}
		if last != 0 && n != last+1 {
			return fmt.Errorf("heard %d after %d", n, last)
		}
		last = n
		if who != c.name {
			continue
		}
		if number != c.said {
			return fmt.Errorf("heard its own %d, and not %d", number, c.said)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err := send(); err != nil {
			return err
		}
	}
}

// TestDeploysUnderTraffic deploys five versions in a row, one of which crashes and one of which does not start, and goes back, while
// sockets through the host are in use.
func TestDeploysUnderTraffic(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Probation = 500 * time.Millisecond })
	s.deploy("chat", "v1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	talkers := make([]*talker, 24)
	failed := make(chan error, len(talkers))
	for n := range talkers {
		c := &talker{
			name: fmt.Sprint("c", n), host: "chat.apps.test",
			url: "ws" + strings.TrimPrefix(s.url, "http") + fmt.Sprintf("/parties/%s/room-%d", []string{"tally", "plain"}[n%2], n%4),
		}
		talkers[n] = c
		group.Go(func() {
			if err := c.talk(ctx); err != nil {
				failed <- fmt.Errorf("%s: %w", c.name, err)
			}
		})
	}
	s.await("all are there", func() bool { return s.app("chat").counts.open.Load() == int64(len(talkers)) })
	s.deploy("chat", "v2")
	s.deploy("chat", "v3")
	for _, version := range []string{"crashing", "stillborn"} {
		list := s.try("chat", version)
		if last := list[len(list)-1]; last.Kind != api.Failed {
			t.Errorf("%s: %+v", version, last)
		}
	}
	s.deploy("chat", "v4")
	list := s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), nil))
	if last := list[len(list)-1]; last.Kind != api.Done {
		t.Errorf("rollback: %+v", last)
	}
	stop()
	group.Wait()
	close(failed)
	var err error
	for e := range failed {
		err = errors.Join(err, e)
	}
	if err != nil {
		t.Error(err)
	}
	total := 0
	for _, c := range talkers {
		if c.said < 3 {
			t.Errorf("%s said only %d", c.name, c.said)
		}
		total += c.said
	}
	t.Logf("%d messages", total)
	s.says("chat.apps.test", "/parties/tally/x", "v3")
}
