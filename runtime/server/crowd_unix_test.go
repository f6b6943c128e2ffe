//go:build unix

package server_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// How much of a crowd there is.
const (
	crowdRooms   = 200
	crowdInRoom  = 10
	crowdPerSec  = 200 // messages, each to everybody in its room
	crowdDialers = 20
)

// member is one of a crowd: mostly it listens.
type member struct {
	*websocket.Conn
	name string
	sent int // owned by the speaker

	mu    sync.Mutex // guards what follows
	heard int        // of its own
	err   error
}

// listen checks that the room's numbers and those of each member come in order, without a gap.
func (m *member) listen() {
	last, others := 0, map[string]int{}
	fail := func(err error) {
		m.mu.Lock()
		m.err = err
		m.mu.Unlock()
	}
	for {
		_, data, err := m.ReadMessage()
		if err != nil {
			fail(err)
			return
		}
		var n, what int
		var who string
		if _, err := fmt.Sscan(string(data), &n, &who, &what); err != nil {
			fail(fmt.Errorf("%q: %w", data, err))
			return
		}
		if last != 0 && n != last+1 || others[who] != 0 && what != others[who]+1 {
			fail(fmt.Errorf("%q follows %d and %s's %d", data, last, who, others[who]))
			return
		}
		last, others[who] = n, what
		if who == m.name {
			m.mu.Lock()
			m.heard = what
			m.mu.Unlock()
		}
	}
}

func (m *member) state() (heard int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heard, m.err
}

// TestUpgradeInFrontOfACrowd goes through five versions before 2,000 sockets, one of which crashes and one of
// which is killed. Nobody may lose a message, get one twice, or be cut off.
func TestUpgradeInFrontOfACrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 2,000 sockets and half a minute")
	}
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "crashing", "v4", "v5"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "2s")
	members := make([]*member, crowdRooms*crowdInRoom)
	var dialing, listening sync.WaitGroup
	for d := range crowdDialers {
		dialing.Go(func() {
			for n := d; n < len(members); n += crowdDialers {
				m := &member{name: fmt.Sprint("m", n)}
				members[n] = m
				target := fmt.Sprintf("ws%s/parties/%s/room-%d?_pk=%s", strings.TrimPrefix(s.url, "http"), []string{"tally", "plain"}[n%2], n/2%(crowdRooms/2), m.name)
				m.Conn, _, m.err = websocket.DefaultDialer.Dial(target, nil)
			}
		})
	}
	dialing.Wait()
	for _, m := range members {
		if m.err != nil {
			t.Fatal(m.err)
		}
		listening.Go(m.listen)
	}
	stop, spoken := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second / crowdPerSec)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				spoken <- nil
				return
			case <-tick.C:
			}
			m := members[n*37%len(members)]
			m.sent++
			if err := m.WriteMessage(websocket.TextMessage, fmt.Append(nil, m.sent)); err != nil {
				spoken <- err
				return
			}
		}
	}()

	const kept = "handed over" // the rooms that live; others sleep through it
	s.want(0, kept, "upgrade", "v2", "--data", "data")
	s.want(1, "crashed on probation", "upgrade", "crashing", "--data", "data")
	s.want(0, kept, "upgrade", "v4", "--no-wait", "--data", "data")
	if err := syscall.Kill(s.host(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("from=" + s.id("v4"))
	s.want(0, kept, "upgrade", "v5", "--data", "data")
	s.want(0, kept, "rollback", "--data", "data")

	close(stop)
	if err := <-spoken; err != nil {
		t.Errorf("speak: %v", err)
	}
	total, deadline := 0, time.Now().Add(3*patience)
	for _, m := range members {
		for {
			heard, err := m.state()
			if heard == m.sent {
				break
			}
			if err != nil || time.Now().After(deadline) {
				t.Errorf("%s has heard %d of its %d: %v", m.name, heard, m.sent, err)
				break
			}
			time.Sleep(time.Millisecond) // there is nothing to wait for but the number
		}
		total += m.sent
	}
	for _, m := range members {
		if _, err := m.state(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		m.Close()
	}
	listening.Wait()
	t.Logf("%d messages, each to %d sockets", total, crowdInRoom)
	s.stop()
}
