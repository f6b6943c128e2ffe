package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestStorageInAwaitWhileAnotherTurnRuns shows that the function of an await is refused also when the room has a
// turn, because it is another's. A turn of its own, by Do, is what it may use.
func TestStorageInAwaitWhileAnotherTurnRuns(t *testing.T) {
	awaits, turn, used := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if req.Method == "POST" { // the other turn
			close(turn)
			<-used
			return
		}
		r.Await(req.Context(), func(ctx context.Context) error {
			close(awaits)
			<-turn
			st := r.Storage()
			_, getErr := st.Get(ctx, "k", new(int))
			_, listErr := st.List(ctx, party.ListOptions{})
			for name, err := range map[string]error{
				"Get": getErr, "Put": st.Put(ctx, "k", 1), "List": listErr, "DeleteAll": st.DeleteAll(ctx), "Sync": st.Sync(ctx),
			} {
				if !errors.Is(err, party.ErrOutsideTurn) {
					t.Errorf("%s: got %v, want ErrOutsideTurn", name, err)
				}
			}
			close(used)
			return r.Do(func() {
				if err := r.Storage().Put(ctx, "done", true); err != nil {
					t.Errorf("Put in Do: %v", err)
				}
			})
		})
		done, _, err := party.Get[bool](req.Context(), r.Storage(), "done")
		fmt.Fprint(w, done, err)
	}}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	answers := make(chan answer, 1)
	go func() { answers <- visit(t, hs.URL+"/party/x") }()
	within(t, awaits, "the await")
	fetch(t, "POST", hs.URL+"/party/x", "").check(t, 200, "")
	within(t, answers, "the request that awaits").check(t, 200, "true <nil>")
}

// TestDialFromAnAwait shows that a room that is dialled has turns of its own: what the caller's context knows does
// not reach it.
func TestDialFromAnAwait(t *testing.T) {
	s := script{
		connect: func(ctx context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
			if err := r.Storage().Put(ctx, "k", "stored"); err != nil {
				return err
			}
			free := make(chan error)
			err := r.Await(ctx, func(context.Context) error {
				go func() { free <- r.Do(func() { r.n++ }) }() // needs the turn
				return <-free
			})
			return errors.Join(err, c.Send(party.Text(fmt.Sprint("turns meanwhile: ", r.n))))
		},
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			socket, err := r.Lobby().Party("chat").Get("other").Dial(req.Context())
			if err != nil {
				fmt.Fprint(w, err)
				return
			}
			m, err := socket.Receive(req.Context())
			fmt.Fprint(w, m.Text(), err)
			socket.Close(1000, "")
		},
	}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/x").check(t, 200, "turns meanwhile: 1<nil>")
}
