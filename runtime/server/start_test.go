package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestStartFailsWithMembers shows that who leaves while a room cannot start is
// gone when it can, and that the others are still there.
func TestStartFailsWithMembers(t *testing.T) {
	for _, opts := range [][]party.DefineOption{nil, {party.AsHibernating()}} {
		t.Run(fmt.Sprint("hibernating ", opts != nil), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var broken atomic.Bool
				s := script{
					start: func(context.Context, *scripted) error {
						if broken.Load() {
							return errors.New("broken")
						}
						return nil
					},
					request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
						if req.Method == "POST" {
							r.Storage().Put(req.Context(), "k", 1)
						}
						fmt.Fprint(w, ids(r))
					},
				}
				store := newHeldStore()
				p := bubble(t, server.Store(store), server.Rooms(s.define("chat", opts...)))
				a, b := p.mustDial("/party/x?_pk=a"), p.mustDial("/party/x?_pk=b")
				c := p.mustDial("/party/x?_pk=c")
				broken.Store(true)
				store.fail(errors.New("disk full")) // which makes the room start anew
				if r, ok := arrived(p.request("POST", "/party/x")); !ok || r.status != 500 {
					t.Errorf("POST: got %v, %v", r, ok)
				}
				store.fail(nil)
				failing := func() {
					t.Helper()
					if r, ok := arrived(p.request("GET", "/party/x")); !ok || r.status != 500 {
						t.Errorf("while it cannot start: got %v, %v", r, ok)
					}
				}
				failing()
				a.Close()
				failing()
				b.Close()
				failing()
				broken.Store(false)
				time.Sleep(time.Second)
				if got := p.get("/party/x"); got != "c" {
					t.Errorf("afterwards: got %q, want c", got)
				}
				select {
				case <-c.ended:
					t.Errorf("the one that stays is closed with %d", c.closeCode())
				default:
				}
			})
		})
	}
}
