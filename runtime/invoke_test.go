package party_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// bothWays runs a test with calls that stay in the process and with calls that cross a stream.
func bothWays(t *testing.T, test func(t *testing.T, streamed bool)) {
	for _, streamed := range []bool{false, true} {
		t.Run(fmt.Sprintf("streamed=%t", streamed), func(t *testing.T) { test(t, streamed) })
	}
}

// within fails the test if c has nothing in half a minute.
func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(30 * time.Second):
		t.Errorf("%s: nothing has happened", what)
	}
	return v
}

// busy keeps its turn until it is told to go on.
type busy struct {
	party.Room
	entered chan struct{}
	free    chan struct{}
}

func busyRooms(b *busy) *party.App {
	return &party.App{Rooms: []party.Definition{{
		Name: "busy", Type: "busy",
		New: func() party.Instance {
			v := &busy{entered: b.entered, free: b.free}
			return party.Instance{Room: &v.Room, Value: v}
		},
		Methods: []party.Method{{Name: "Hold", Func: func(ctx context.Context, v any, call *party.MethodCall) error {
			v.(*busy).entered <- struct{}{}
			<-v.(*busy).free
			return call.Return(nil)
		}}},
	}}}
}

// TestCallDeadline wants a caller to have its deadline also when the method does not look at it.
func TestCallDeadline(t *testing.T) {
	bothWays(t, func(t *testing.T, streamed bool) {
		b := &busy{entered: make(chan struct{}, 1), free: make(chan struct{})}
		outside(t, busyRooms(b), streamed, func(ctx context.Context, lobby *party.Lobby) {
			defer close(b.free)
			ctx, end := context.WithTimeout(ctx, 20*time.Millisecond)
			defer end()
			returned := make(chan error, 1)
			go func() { returned <- lobby.Party("busy").Get("a").Call(ctx, "Hold", nil, nil) }()
			if err := within(t, "the call", returned); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v, want that of the deadline", err)
			}
		})
	})
}

// TestCallOverload wants calls to count as what waits for a room, and to be turned away when that is too much. Over a stream the
// platform does not know what is waiting in the host; there the stream holds callers back.
func TestCallOverload(t *testing.T) {
	b := &busy{entered: make(chan struct{}, 3), free: make(chan struct{})}
	o := platform.Options{Store: memory.New(), Limits: manifest.Limits{RoomQueue: 2}}
	outsideOn(t, o, busyRooms(b), false, func(ctx context.Context, lobby *party.Lobby) {
		room := lobby.Party("busy").Get("a")
		results := make(chan error, 3)
		for range 3 {
			go func() { results <- room.Call(ctx, "Hold", nil, nil) }()
		}
		within(t, "the first call", b.entered)
		err := within(t, "the third call", results)
		if err == nil || !strings.Contains(err.Error(), "503 Service Unavailable: too many events wait for the room") {
			t.Errorf("got error %v, want one of overload", err)
		}
		close(b.free)
		for range 2 {
			if err := within(t, "another call", results); err != nil {
				t.Errorf("got error %v of a call that had its place", err)
			}
		}
		if err := room.Call(ctx, "Hold", nil, nil); err != nil {
			t.Errorf("got error %v when the room was free again", err)
		}
	})
}

// starter calls another room, which calls it, when it starts.
type starter struct {
	party.Room
	direct bool
	meet   *sync.WaitGroup // both rooms have begun to start; nil: they start one another
}

func (s *starter) OnStart(ctx context.Context) error {
	if s.meet != nil {
		s.meet.Done()
		s.meet.Wait()
	}
	to := "other"
	if s.direct || s.Name() == "other" {
		to = "me"
	}
	return s.Lobby().Party("starter").Get(to).Call(ctx, "Ping", nil, nil)
}

// TestCallCircle wants rooms that wait for one another in OnStart to get an error instead of waiting for ever.
func TestCallCircle(t *testing.T) {
	bothWays(t, func(t *testing.T, streamed bool) {
		for _, c := range []struct{ direct, at bool }{{direct: true}, {}, {at: true}} {
			var meet *sync.WaitGroup
			if c.at {
				meet = new(sync.WaitGroup)
				meet.Add(2) // a room that starts once more panics there, which is as good
			}
			failed := make(chan error, 10)
			app := &party.App{Rooms: []party.Definition{{
				Name: "starter", Type: "starter",
				New: func() party.Instance {
					v := &starter{direct: c.direct, meet: meet}
					return party.Instance{Room: &v.Room, Value: v, Start: v, Exception: exceptions(failed)}
				},
				Methods: []party.Method{{Name: "Ping", Func: func(ctx context.Context, v any, call *party.MethodCall) error { return call.Return(nil) }}},
			}}}
			outside(t, app, streamed, func(ctx context.Context, lobby *party.Lobby) {
				done := make(chan error, 2)
				go func() { done <- lobby.Party("starter").Get("me").Call(ctx, "Ping", nil, nil) }()
				if c.at {
					go func() { done <- lobby.Party("starter").Get("other").Call(ctx, "Ping", nil, nil) }()
				}
				err := within(t, "the call", done)
				if c.at { // one of them may start, when the other has given up
					err = errors.Join(err, within(t, "the other call", done))
				}
				if err == nil || !strings.Contains(err.Error(), "500") {
					t.Errorf("got error %v, want one of a room that could not start", err)
				}
				if err := within(t, "the room that starts", failed); !errors.Is(err, party.ErrCircle) {
					t.Errorf("got error %v, want that of the circle", err)
				}
			})
		}
	})
}

// exceptions passes on what a room's callbacks fail with.
type exceptions chan<- error

func (e exceptions) OnException(ctx context.Context, err error) {
	select {
	case e <- err:
	default:
	}
}

// TestCallChain wants a chain of calls in turns to end somewhere.
func TestCallChain(t *testing.T) {
	bothWays(t, func(t *testing.T, streamed bool) {
		calls := 0 // by one room after the other
		app := &party.App{Rooms: []party.Definition{{
			Name: "chain", Type: "chain",
			New: func() party.Instance { v := new(account); return party.Instance{Room: &v.Room, Value: v} },
			Methods: []party.Method{{Name: "Next", Func: func(ctx context.Context, v any, call *party.MethodCall) error {
				calls++
				a := v.(*account)
				return call.Return(a.Lobby().Party("chain").Get(a.Name()+"x").Call(ctx, "Next", nil, nil))
			}}},
		}}}
		outside(t, app, streamed, func(ctx context.Context, lobby *party.Lobby) {
			err := lobby.Party("chain").Get("x").Call(ctx, "Next", nil, nil)
			if !errors.Is(err, party.ErrCircle) || calls != 33 {
				t.Errorf("after %d calls: got error %v, want that of a circle after 33", calls, err)
			}
		})
	})
}

// slow holds the commits of one room back, or fails them.
type slow struct {
	storage.Store
	room string

	mu   sync.Mutex
	held []func()
	fail bool
	came chan struct{}
}

func (s *slow) Commit(c storage.Commit, done func(error)) {
	if c.Room.Name != s.room {
		s.Store.Commit(c, done)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := s.fail
	s.held = append(s.held, func() {
		if fail {
			done(errors.New("the disk is full"))
			return
		}
		s.Store.Commit(c, done)
	})
	s.came <- struct{}{}
}

// TestCallIsCommitted wants nobody to see the results of a call before what it wrote is durable, and nobody at all if it is not.
func TestCallIsCommitted(t *testing.T) {
	bothWays(t, func(t *testing.T, streamed bool) {
		for _, fail := range []bool{false, true} {
			s := &slow{Store: memory.New(), room: "bob", fail: fail, came: make(chan struct{}, 1)}
			outsideOn(t, platform.Options{Store: s}, accounts(nil), streamed, func(ctx context.Context, lobby *party.Lobby) {
				bob := accountStub{lobby.Party("account").Get("bob")}
				type answer struct {
					total int
					err   error
				}
				got := make(chan answer, 1)
				go func() {
					total, _, err := bob.Add(ctx, 5, nil)
					got <- answer{total, err}
				}()
				within(t, "the commit", s.came)
				select {
				case a := <-got:
					t.Errorf("got %+v before the commit", a)
				default:
				}
				s.held[0]()
				a := within(t, "the call", got)
				switch {
				case fail && (a.err == nil || !strings.Contains(a.err.Error(), "the room was reset") || a.total != 0):
					t.Errorf("got %+v of a call whose commit failed", a)
				case !fail && (a.err != nil || a.total != 5):
					t.Errorf("got %+v, want 5", a)
				}
			})
		}
	})
}
