//go:build unix

package server_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// crowdEnv set to "full" makes crowds of 2,000 sockets and 200 messages a second, instead of a tenth of the sockets and half
// of the messages.
const crowdEnv = "PARTY_TEST_CROWD"

const (
	crowdInRoom  = 10
	crowdDialers = 20
)

// crowd are clients that talk, each to everybody in its room.
type crowd struct {
	t       *testing.T
	url     string
	members []*member

	listening sync.WaitGroup
	stop      chan struct{}
	spoken    chan error
}

// member is one of a crowd: mostly it listens.
type member struct {
	*websocket.Conn
	name, room string
	sent       int // owned by the speaker

	mu    sync.Mutex // guards what follows
	last  int        // of the room's numbers
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
		m.mu.Lock()
		m.last = n
		if who == m.name {
			m.heard = what
		}
		m.mu.Unlock()
	}
}

func (m *member) state() (heard, last int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heard, m.last, m.err
}

// crowd dials, and lets it talk until it is told to be silent.
func (s *site) crowd() *crowd {
	s.t.Helper()
	sockets, rate := 200, 100
	if os.Getenv(crowdEnv) == "full" {
		sockets, rate = 2000, 200
	}
	c := &crowd{t: s.t, url: s.url, members: make([]*member, sockets), stop: make(chan struct{}), spoken: make(chan error, 1)}
	rooms := sockets / crowdInRoom
	var dialing sync.WaitGroup
	for d := range crowdDialers {
		dialing.Go(func() {
			for n := d; n < len(c.members); n += crowdDialers {
				m := &member{name: fmt.Sprint("m", n), room: fmt.Sprintf("/parties/%s/room-%d", []string{"tally", "plain"}[n%2], n/2%(rooms/2))}
				c.members[n] = m
				m.Conn, _, m.err = websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+m.room+"?_pk="+m.name, nil)
			}
		})
	}
	dialing.Wait()
	for _, m := range c.members {
		if m.err != nil {
			s.t.Fatal(m.err)
		}
		c.listening.Go(m.listen)
	}
	go c.speak(rate)
	return c
}

// speak sends so many messages a second, in turn.
func (c *crowd) speak(rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			c.spoken <- nil
			return
		case <-tick.C:
		}
		m := c.members[n*37%len(c.members)]
		m.sent++
		if err := m.WriteMessage(websocket.TextMessage, fmt.Append(nil, m.sent)); err != nil {
			c.spoken <- err
			return
		}
	}
}

// finish lets everybody fall silent, and wants that each has heard all that it said, in order, and is still connected.
func (c *crowd) finish() {
	c.t.Helper()
	close(c.stop)
	if err := <-c.spoken; err != nil {
		c.t.Errorf("speak: %v", err)
	}
	total, deadline := 0, time.Now().Add(3*patience)
	for _, m := range c.members {
		for {
			heard, _, err := m.state()
			if heard == m.sent {
				break
			}
			if err != nil || time.Now().After(deadline) {
				c.t.Errorf("%s has heard %d of its %d: %v", m.name, heard, m.sent, err)
				break
			}
			time.Sleep(time.Millisecond) // there is nothing to wait for but the number
		}
		total += m.sent
	}
	for _, m := range c.members {
		if _, _, err := m.state(); err != nil {
			c.t.Errorf("%s: %v", m.name, err)
		}
	}
	c.checkStored(c.url)
	for _, m := range c.members {
		m.Close()
	}
	c.listening.Wait()
	c.t.Logf("%d messages, each to %d of %d sockets", total, crowdInRoom, len(c.members))
}

// cut waits until all connections are lost, and returns how many messages were acknowledged.
func (c *crowd) cut() (acknowledged int) {
	close(c.stop)
	<-c.spoken // with or without an error: the connections end meanwhile
	c.listening.Wait()
	for _, m := range c.members {
		heard, _, _ := m.state()
		acknowledged += heard
		m.Close()
	}
	return acknowledged
}

// checkStored looks into each room: what anybody has heard is stored, nothing is that was not sent, and nothing
// was counted twice.
func (c *crowd) checkStored(url string) {
	c.t.Helper()
	rooms := make(map[string][]*member)
	for _, m := range c.members {
		rooms[m.room] = append(rooms[m.room], m)
	}
	for room, members := range rooms {
		got := visit(c.t, url+room+"?stored")
		if got.status != http.StatusOK {
			c.t.Errorf("%s: got %d %s", room, got.status, got.body)
			continue
		}
		stored := make(map[string]int)
		for line := range strings.Lines(got.body) {
			cut := strings.LastIndexByte(line, ' ')
			n, err := strconv.Atoi(strings.TrimSpace(line[cut+1:]))
			if err != nil {
				c.t.Fatalf("%s: %q: %v", room, line, err)
			}
			stored[line[:cut]] = n
		}
		sum := 0
		for _, m := range members {
			heard, last, _ := m.state()
			n := stored["of "+m.name]
			if n < heard || n > m.sent {
				c.t.Errorf("%s: %d of %s is stored, which has sent %d and heard %d", room, n, m.name, m.sent, heard)
			}
			if stored["n"] < last {
				c.t.Errorf("%s: counted %d, and %s has heard of %d", room, stored["n"], m.name, last)
			}
			sum += n
		}
		if stored["n"] != sum {
			c.t.Errorf("%s: counted %d, and the numbers of its members make %d", room, stored["n"], sum)
		}
	}
}
