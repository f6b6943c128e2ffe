package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

func seqs(events []*link.Event) []uint64 {
	out := []uint64{}
	for _, ev := range events {
		out = append(out, ev.Seq)
	}
	return out
}

// wantLeft checks what a seat was released with.
func wantLeft(t *testing.T, seat *fakeSeat, want []uint64, deaths ...int) []*link.Event {
	t.Helper()
	left := <-seat.released
	if got := seqs(left); !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	for n, ev := range left {
		if n < len(deaths) && ev.Deaths != deaths[n] {
			t.Errorf("event %d has %d deaths, want %d", ev.Seq, ev.Deaths, deaths[n])
		}
	}
	return left
}

func TestEventsAndBatchesComeThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan *link.Event, 100)
		answers := batches()
		host := &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
			i.keeps = true
			got <- ev
			for _, b := range batches() {
				i.Seat.Apply(b)
			}
		}}
		h := pipe(t, host)
		seat := newSeat()
		room := h.wake(seat)
		for _, ev := range events() {
			want := *ev
			if !room.Deliver(ev) {
				t.Fatalf("event %d was not taken", ev.Seq)
			}
			if diff := cmp.Diff(<-got, &want, alike); diff != "" {
				t.Errorf("event (-got +want):\n%s", diff)
			}
			for _, want := range answers {
				if diff := cmp.Diff(<-seat.batches, want, alike, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("batch (-got +want):\n%s", diff)
				}
			}
		}
	})
}

func TestWakeComesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &fakeHost{turn: echo}
		h := pipe(t, host)
		want := link.Wake{
			Room: storage.Room{Party: "chat", Name: "a/b"}, Fence: 9, Alarm: time.UnixMilli(1795219200123), Seat: newSeat(),
			Sessions: []link.Session{{ID: 3, Conn: "ada", URI: "u", Tags: []string{"ada", "x"}, State: []byte{}, Request: fullRequest()}},
		}
		want.Sessions[0].Request.Body = nil
		// So many that they need several frames.
		for n := range 300 {
			want.Sessions = append(want.Sessions, link.Session{ID: link.SessionID(n + 4), State: []byte(strings.Repeat("s", 16<<10))})
		}
		h.Wake(want)
		synctest.Wait()
		got := host.rooms[0].Wake
		if diff := cmp.Diff(got, want, alike); diff != "" {
			t.Errorf("wake (-got +want):\n%s", diff)
		}
		want.Sessions[0].Request.Body = http.NoBody
		if diff := cmp.Diff(got.Sessions[0], want.Sessions[0], alike); diff != "" {
			t.Errorf("session (-got +want):\n%s", diff)
		}
		if len(got.Sessions) != len(want.Sessions) {
			t.Fatalf("%d sessions, want %d", len(got.Sessions), len(want.Sessions))
		}
		for n, s := range got.Sessions[1:] {
			if w := want.Sessions[n+1]; s.ID != w.ID || string(s.State) != string(w.State) {
				t.Errorf("session %d with %d bytes of state, want %d with %d", s.ID, len(s.State), w.ID, len(w.State))
			}
		}
	})
}

// TestOrder sends from several connections to several rooms at once.
func TestOrder(t *testing.T) {
	const rooms, senders, each = 4, 3, 200
	h := pipe(t, &fakeHost{turn: echo})
	var wg sync.WaitGroup
	for range rooms {
		seat := newSeat()
		room := h.wake(seat)
		for s := range senders {
			wg.Go(func() {
				for n := range each {
					ev := &link.Event{Kind: link.Message, Seq: uint64(n*senders + s + 1), Session: link.SessionID(s), Data: fmt.Sprint(n)}
					if !room.Deliver(ev) {
						t.Error("not taken")
					}
				}
			})
		}
		wg.Go(func() {
			next := make([]int, senders)
			for range senders * each {
				e := (<-seat.batches).Effects[0]
				if want := fmt.Sprint(next[e.Session]); e.Data != want {
					t.Errorf("session %d: got message %s, want %s", e.Session, e.Data, want)
				}
				next[e.Session]++
			}
		})
	}
	wg.Wait()
}

func TestAwaitLetsLaterEventsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resume := make(chan struct{})
		h := pipe(t, &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
			if ev.Data == "wait" {
				i.await(ev, func() { <-resume })
				i.apply(ev, link.Effect{Op: link.Send, Data: "resumed"})
				return
			}
			echo(i, ev)
		}})
		seat := newSeat()
		room := h.wake(seat)
		yielded := false
		first := message(1, "wait")
		first.Yielded = func() { yielded = true }
		room.Deliver(first)
		for n := range 5 {
			room.Deliver(message(uint64(n)+2, fmt.Sprint(n)))
		}
		synctest.Wait()
		if b := <-seat.batches; b.Consumed != 1 {
			t.Errorf("the first batch consumes %d, want 1", b.Consumed)
		}
		for n := range 5 {
			if got := (<-seat.batches).Effects[0].Data; got != fmt.Sprint(n) {
				t.Errorf("got %s, want %d", got, n)
			}
		}
		close(resume)
		if got := (<-seat.batches).Effects[0].Data; got != "resumed" {
			t.Errorf("got %q, want resumed", got)
		}
		if yielded {
			t.Error("Yielded was called, but Deliver had returned")
		}
		room.Deliver(message(9, "wait"))
		synctest.Wait()
		room.Evict(0)
		wantLeft(t, seat, []uint64{})
	})
}

func TestReleaseLeavesWhatWasNotConsumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		h := pipe(t, &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
			if ev.Seq == 2 {
				close(begun)
				<-goOn
				i.keeps = true
				i.release()
			}
		}})
		seat := newSeat()
		room := h.wake(seat)
		for n := range uint64(5) {
			room.Deliver(message(n+1, "x"))
		}
		<-begun
		close(goOn)
		left := wantLeft(t, seat, []uint64{2, 3, 4, 5}, 0, 0, 0, 0)
		if b := <-seat.batches; b.Consumed != 1 {
			t.Errorf("consumed %d, want 1", b.Consumed)
		}
		if room.Deliver(left[0]) {
			t.Error("a released room took an event")
		}
		// The same events go on to the next instance.
		seat = newSeat()
		room = h.wake(seat)
		for _, ev := range left[1:] {
			room.Deliver(ev)
		}
		for _, want := range []uint64{3, 4, 5} {
			if b := <-seat.batches; b.Consumed != want {
				t.Errorf("consumed %d, want %d", b.Consumed, want)
			}
		}
	})
}

func TestEvictStopsBeforeTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn, grace := make(chan struct{}), make(chan struct{})
		h := pipe(t, &fakeHost{
			turn:    func(*fakeRoom, *link.Event) { <-goOn },
			evicted: func(*fakeRoom) { <-grace },
		})
		seat := newSeat()
		room := h.wake(seat)
		for n := range uint64(3) {
			room.Deliver(message(n+1, "x"))
		}
		synctest.Wait()
		room.Evict(time.Second)
		synctest.Wait()
		close(goOn)
		room.Deliver(message(4, "late"))
		synctest.Wait()
		close(grace)
		wantLeft(t, seat, []uint64{2, 3, 4}, 0, 0, 0)
	})
}

func TestDeathCountsForTheFirstEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		h := pipe(t, &fakeHost{turn: func(_ *fakeRoom, ev *link.Event) {
			if ev.Data == "deadly" {
				<-stuck
			}
		}})
		a, b, idle := newSeat(), newSeat(), newSeat()
		roomA, roomB, roomIdle := h.wake(a), h.wake(b), h.wake(idle)
		roomIdle.Deliver(message(1, "fine"))
		roomA.Deliver(message(1, "fine"))
		roomA.Deliver(message(2, "deadly"))
		roomA.Deliver(message(3, "deadly"))
		roomA.Deliver(message(4, "fine"))
		roomB.Deliver(&link.Event{Kind: link.Message, Seq: 7, Data: "deadly", Deaths: 1})
		synctest.Wait()
		h.conn.Close() // what the kernel does when the process dies
		wantLeft(t, a, []uint64{2, 3, 4}, 1, 0, 0)
		select {
		case <-h.Done():
		default:
			t.Error("a seat was released before Done was closed")
		}
		wantLeft(t, b, []uint64{7}, 2)
		wantLeft(t, idle, []uint64{})
		if err := h.Err(); !errors.Is(err, link.ErrHostGone) || !strings.Contains(err.Error(), "process ended") {
			t.Errorf("got %v, want that the process ended", err)
		}
		if roomB.Deliver(message(8, "x")) {
			t.Error("a dead host took an event")
		}
		late := newSeat()
		if h.wake(late).Deliver(message(1, "x")) {
			t.Error("a dead host took an event in a new room")
		}
		wantLeft(t, late, []uint64{})
		close(stuck)
	})
}

func TestCloseIsNobodysDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		h := pipe(t, &fakeHost{turn: func(*fakeRoom, *link.Event) { <-stuck }})
		seat := newSeat()
		h.wake(seat).Deliver(message(1, "x"))
		h.Close()
		wantLeft(t, seat, []uint64{1}, 0)
		if err := h.Err(); err != nil {
			t.Errorf("got %v, want nil", err)
		}
		close(stuck)
	})
}

func TestBackPressure(t *testing.T) {
	for _, c := range []struct {
		name, data string
		fit        int
	}{
		{"count", "x", maxEvents},
		{"bytes", strings.Repeat("x", 1<<20), 4},
		{"one too large", strings.Repeat("x", maxEventBytes+1), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				goOn := make(chan struct{})
				h := pipe(t, &fakeHost{turn: func(*fakeRoom, *link.Event) { <-goOn }})
				seat := newSeat()
				room := h.wake(seat)
				taken := 0
				go func() {
					for n := range uint64(c.fit) + 1 {
						if room.Deliver(message(n+1, c.data)) {
							taken++
						}
					}
				}()
				synctest.Wait()
				if taken != c.fit {
					t.Errorf("%d events were taken, want %d", taken, c.fit)
				}
				goOn <- struct{}{}
				synctest.Wait()
				if taken != c.fit+1 {
					t.Errorf("%d events were taken after one was consumed, want %d", taken, c.fit+1)
				}
				close(goOn)
			})
		})
	}
}

func TestDeathWakesBlockedSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		h := pipe(t, &fakeHost{turn: func(*fakeRoom, *link.Event) { <-stuck }})
		seat := newSeat()
		room := h.wake(seat)
		refused := 0
		go func() {
			for n := range uint64(maxEvents + 1) {
				if !room.Deliver(message(n+1, "x")) {
					refused++
				}
			}
		}()
		synctest.Wait()
		h.conn.Close()
		if left := <-seat.released; len(left) != maxEvents || left[0].Deaths != 1 {
			t.Errorf("%d events left, want %d", len(left), maxEvents)
		}
		synctest.Wait()
		if refused != 1 {
			t.Errorf("%d events refused, want 1", refused)
		}
	})
}

func TestRequestBodyIsDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := make(chan string, 4)
		die := true
		h := &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
			b, _ := io.ReadAll(ev.Request.Body)
			bodies <- string(b)
			if die {
				i.keeps = true
				i.release()
			}
		}}
		first, second := pipe(t, h), pipe(t, h)
		r := &http.Request{Method: "POST", Body: io.NopCloser(strings.NewReader("hello"))}
		ev := &link.Event{Kind: link.Request, Seq: 1, Request: r}
		for _, host := range []*rig{first, second} {
			seat := newSeat()
			host.wake(seat).Deliver(ev)
			if got := <-bodies; got != "hello" {
				t.Errorf("got body %q, want hello", got)
			}
			ev = (<-seat.released)[0]
		}
		// And in process.
		if b, err := io.ReadAll(ev.Request.Body); string(b) != "hello" || err != nil {
			t.Errorf("got body %q, %v, want hello", b, err)
		}
	})
}

func TestRequestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan uint64, 3)
		h := pipe(t, &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
			if ev.Seq == 2 {
				i.apply(ev, link.Effect{Op: link.Respond, Ref: 2, Code: 200, Final: true})
			}
			i.await(ev, func() {
				<-ev.Request.Context().Done()
				ended <- ev.Seq
			})
		}})
		seat := newSeat()
		room := h.wake(seat)
		ctx, cancel := context.WithCancel(context.Background())
		for n := range uint64(3) {
			r := (&http.Request{}).WithContext(ctx)
			room.Deliver(&link.Event{Kind: link.Request, Seq: n + 1, Request: r})
			if n == 1 {
				if got := <-ended; got != 2 {
					t.Errorf("the context of %d ended, want 2: it is answered", got)
				}
			}
		}
		synctest.Wait()
		if len(ended) != 0 {
			t.Error("a context ended too early")
		}
		if n := h.watched(); n != 2 {
			t.Errorf("%d contexts are watched, want those of the two open requests", n)
		}
		cancel()
		got := []uint64{<-ended, <-ended}
		slices.Sort(got)
		if !slices.Equal(got, []uint64{1, 3}) {
			t.Errorf("contexts of %v ended, want 1 and 3", got)
		}
		synctest.Wait()
		if n := h.watched(); n != 0 {
			t.Errorf("%d contexts are still watched", n)
		}
	})
}

// watched counts the contexts whose end the host is to be told.
func (r *rig) watched() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, room := range r.rooms {
		room.mu.Lock()
		n += len(room.watches)
		room.mu.Unlock()
	}
	return n
}

func TestRequestContextEndsWithTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan bool, 1)
		h := pipe(t, &fakeHost{turn: func(_ *fakeRoom, ev *link.Event) {
			<-ev.Request.Context().Done()
			ended <- true
		}})
		h.wake(newSeat()).Deliver(&link.Event{Kind: link.Request, Seq: 1, Request: &http.Request{}})
		synctest.Wait()
		h.Close()
		<-ended
	})
}

func TestWhatIsTooLargeIsAnswered(t *testing.T) {
	h := pipe(t, &fakeHost{turn: echo})
	seat := newSeat()
	room := h.wake(seat)
	big := strings.Repeat("x", maxFrame)
	for _, c := range []struct {
		ev   *link.Event
		want link.Effect
	}{
		{message(1, big), link.Effect{Op: link.Shut, Session: 1, Code: 1009}},
		{
			&link.Event{Kind: link.Request, Seq: 2, Request: &http.Request{Body: io.NopCloser(strings.NewReader(big + "x"))}},
			link.Effect{Op: link.Respond, Ref: 2, Code: 413, Final: true},
		},
	} {
		if !room.Deliver(c.ev) {
			t.Fatal("not taken")
		}
		b := <-seat.batches
		if diff := cmp.Diff(b.Effects[0], c.want, cmpopts.IgnoreFields(link.Effect{}, "Data", "Header")); diff != "" || b.Consumed != c.ev.Seq {
			t.Errorf("event %d: consumed %d (-got +want):\n%s", c.ev.Seq, b.Consumed, diff)
		}
	}
	room.Deliver(message(3, "still here"))
	if got := (<-seat.batches).Effects[0].Data; got != "still here" {
		t.Errorf("got %q", got)
	}
}

func TestTurnThatIsTooLargeCostsItsRoomOnly(t *testing.T) {
	h := pipe(t, &fakeHost{turn: func(i *fakeRoom, ev *link.Event) {
		if ev.Data == "big" {
			ev.Data = strings.Repeat("x", maxFrame)
		}
		echo(i, ev)
	}})
	seat, other := newSeat(), newSeat()
	h.wake(seat).Deliver(message(1, "big"))
	wantLeft(t, seat, []uint64{1}, 1)
	h.wake(other).Deliver(message(1, "small"))
	if got := (<-other.batches).Effects[0].Data; got != "small" {
		t.Errorf("got %q", got)
	}
}
