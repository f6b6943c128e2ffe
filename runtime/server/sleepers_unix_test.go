//go:build unix

package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// How many sleep.
const (
	sleeperRooms   = 100
	sleepers       = 10_000
	sleeperDialers = 16
)

// sleeper is a hibernating room whose connections carry their number.
type sleeper struct {
	party.Room
	said int // in memory, so lost in its sleep
}

func (s *sleeper) ConnectionTags(_ context.Context, _ *party.Conn, r *http.Request) ([]string, error) {
	return r.URL.Query()["tag"], nil
}

func (s *sleeper) OnConnect(_ context.Context, conn *party.Conn, r *http.Request) error {
	return conn.SetState(r.URL.Query().Get("n"))
}

func (s *sleeper) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	s.said++
	if msg.Text() == "all" {
		return s.Broadcast(party.Text("to all"))
	}
	n, err := party.StateOf[string](conn)
	return errors.Join(err, conn.Send(party.Text(fmt.Sprint("said ", s.said, ", state ", n, ", tags ", conn.Tags(), ", of ", s.count()))))
}

// OnRequest answers with the number of connections. PUT sets an alarm.
func (s *sleeper) OnRequest(w http.ResponseWriter, r *http.Request) {
	s.said++
	if r.Method == http.MethodPut {
		if err := s.SetAlarm(time.Now().Add(time.Second)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	fmt.Fprint(w, "said ", s.said, ", of ", s.count())
}

func (s *sleeper) OnAlarm(context.Context) error {
	return s.Broadcast(party.Text("alarm in " + s.Name()))
}

func (s *sleeper) count() (n int) {
	for range s.Connections() {
		n++
	}
	return n
}

// serveSleepers is the server process: both ends of the sockets in one need more files than many systems give it.
func serveSleepers() {
	s, err := server.New(server.Rooms(party.Define[sleeper]("sleeper", party.AsHibernating())), server.WithLimits(server.Limits{Idle: 300 * time.Millisecond}))
	if err != nil {
		panic(err)
	}
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening on http://%s\nmetrics on http://%s/metrics\n", public.Addr(), admin.Addr())
	go http.Serve(admin, s.Admin())
	http.Serve(public, s)
}

// sockets is how many this process may have, up to as many as the test wants.
func sockets(t *testing.T) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Logf("raise the limit of open files: %v", err)
	}
	const others = 500
	if limit.Cur >= sleepers+others {
		return sleepers
	}
	n := (int(limit.Cur) - others) / sleeperRooms * sleeperRooms
	t.Logf("no more than %d files may be open here: %d sockets instead of %d", limit.Cur, n, sleepers)
	return n
}

// TestSocketsStayWhileRoomsSleep drops every room from memory under its sockets, and wakes rooms by a message, by a
// request and by an alarm.
func TestSocketsStayWhileRoomsSleep(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 10,000 sockets")
	}
	total := sockets(t)
	each := total / sleeperRooms
	s := begin(t, t.TempDir(), "sleepers")
	s.ready()
	began := time.Now()

	members := make([]*client, total) // number n is in room n % sleeperRooms
	var dialing sync.WaitGroup
	dialer := websocket.Dialer{ReadBufferSize: 128, WriteBufferSize: 128, WriteBufferPool: new(sync.Pool), HandshakeTimeout: 3 * patience}
	for d := range sleeperDialers {
		dialing.Go(func() {
			for n := d; n < total; n += sleeperDialers {
				ws, _, err := dialer.Dial(fmt.Sprintf("ws%s/party/room-%d?_pk=c%d&n=%d&tag=t%d", strings.TrimPrefix(s.url, "http"), n%sleeperRooms, n, n, n), nil)
				if err != nil {
					t.Errorf("socket %d: %v", n, err)
					return
				}
				members[n] = &client{t, ws}
			}
		})
	}
	dialing.Wait()
	defer func() {
		for _, c := range members {
			if c != nil {
				c.NetConn().Close()
			}
		}
	}()
	if t.Failed() {
		return
	}
	connected := time.Since(began)
	asleep := func() bool {
		metrics := visit(t, s.admin+"/metrics").body
		for _, want := range []string{
			fmt.Sprintf("party_connections{party=\"sleeper\"} %d\n", total),
			fmt.Sprintf("party_rooms{party=\"sleeper\",state=\"hibernated\"} %d\n", sleeperRooms),
			"party_rooms{party=\"sleeper\",state=\"live\"} 0\n",
		} {
			if !strings.Contains(metrics, want) {
				return false
			}
		}
		return true
	}
	until(t, "all rooms are asleep and all sockets open", asleep)
	t.Logf("%d sockets after %v, asleep after %v", total, connected, time.Since(began))

	first := members[0]
	first.SetReadDeadline(time.Now().Add(3 * patience))
	first.say("who am I")
	first.want(fmt.Sprintf("said 1, state 0, tags [c0 t0], of %d", each))
	visit(t, s.url+"/party/room-1").check(t, 200, fmt.Sprintf("said 1, of %d", each))
	until(t, "all are asleep again", asleep)
	fetch(t, "PUT", s.url+"/party/room-2", "").check(t, 200, fmt.Sprintf("said 1, of %d", each))
	for n := 2; n < total; n += sleeperRooms {
		members[n].SetReadDeadline(time.Now().Add(3 * patience))
		members[n].want("alarm in room-2")
	}
	// Not one of them has gone.
	for _, c := range members[:sleeperRooms] {
		c.say("all")
	}
	for _, c := range members {
		c.SetReadDeadline(time.Now().Add(3 * patience))
		c.want("to all")
	}
}
