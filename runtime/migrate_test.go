package party_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// ledger has a persisted field whose type was int in version 1 and string since.
type ledger struct {
	party.Room
	Total string
	ran   string
}

func (l *ledger) ToV2(ctx context.Context) error {
	var old int
	if ok, err := l.StoredField(ctx, "total", &old); err != nil || !ok {
		return errors.Join(errors.New("no total"), err)
	}
	l.Total, l.ran = fmt.Sprint(old), l.ran+"2"
	return l.Storage().Put(ctx, "migrated", 2)
}

func (l *ledger) ToV3(ctx context.Context) error {
	l.Total, l.ran = l.Total+" EUR", l.ran+"3"
	return nil
}

func (l *ledger) fails(context.Context) error { return errors.New("not today") }

func (l *ledger) awaits(ctx context.Context) error {
	return l.Await(ctx, func(context.Context) error { return nil })
}

func (l *ledger) OnRequest(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("do") {
	case "write":
		l.Storage().Put(r.Context(), "total", "1")
	case "alarm":
		l.SetAlarm(time.Now().Add(time.Hour))
	}
	n, _, err := party.Get[int](r.Context(), l.Storage(), "migrated")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(w, "%s ran %s, migrated %d", l.Total, l.ran, n)
}

// firstLedger is version 1.
type firstLedger struct {
	party.Room
	Total int
}

func (l *firstLedger) OnRequest(w http.ResponseWriter, r *http.Request) { l.Total = 7 }

func ledgers(steps func(*ledger) []party.DataMigration) *party.App {
	return partytest.Rooms(party.Definition{Name: "ledger", Type: "ledger", New: func() party.Instance {
		l := new(ledger)
		return party.Instance{Room: &l.Room, Request: l, Migrate: steps(l), Persist: []party.Persisted{party.PersistValue("total2", &l.Total)}}
	}})
}

func upTo2(l *ledger) []party.DataMigration { return []party.DataMigration{{2, l.ToV2}} }
func upTo3(l *ledger) []party.DataMigration { return []party.DataMigration{{2, l.ToV2}, {3, l.ToV3}} }

func withFailure(l *ledger) []party.DataMigration {
	return []party.DataMigration{{2, l.ToV2}, {3, l.fails}}
}

func withAwait(l *ledger) []party.DataMigration {
	return []party.DataMigration{{2, l.ToV2}, {3, l.awaits}}
}

func TestDataMigrations(t *testing.T) {
	first := partytest.Rooms(party.Definition{Name: "ledger", New: func() party.Instance {
		l := new(firstLedger)
		return party.Instance{Room: &l.Room, Request: l, Persist: []party.Persisted{party.PersistValue("total", &l.Total)}}
	}})
	type step struct {
		app  *party.App
		do   string
		want string
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"one by one", []step{
			{first, "", ""}, {ledgers(upTo2), "", "7 ran 2, migrated 2"}, {ledgers(upTo2), "", "7 ran , migrated 2"},
			{ledgers(upTo3), "", "7 EUR ran 3, migrated 2"}, {ledgers(upTo3), "", "7 EUR ran , migrated 2"},
		}},
		{"all at once", []step{{first, "", ""}, {ledgers(upTo3), "", "7 EUR ran 23, migrated 2"}, {ledgers(upTo3), "", "7 EUR ran , migrated 2"}}},
		{"a failure leaves the room as it was", []step{
			{first, "", ""}, {ledgers(withFailure), "", "500"}, {ledgers(withFailure), "", "500"}, {ledgers(upTo2), "", "7 ran 2, migrated 2"},
		}},
		{"an await is refused", []step{{first, "", ""}, {ledgers(withAwait), "", "500"}, {ledgers(upTo3), "", "7 EUR ran 23, migrated 2"}}},
		{"a new room has nothing to migrate", []step{
			{ledgers(upTo2), "", " ran , migrated 0"}, {ledgers(upTo2), "write", " ran , migrated 0"},
			{ledgers(upTo2), "", " ran , migrated 0"}, {ledgers(upTo3), "", " EUR ran 3, migrated 0"},
		}},
		{"an alarm is data", []step{{ledgers(upTo2), "alarm", " ran , migrated 0"}, {ledgers(upTo3), "", " EUR ran 3, migrated 0"}}},
		{"older code", []step{{first, "", ""}, {ledgers(upTo3), "", "7 EUR ran 23, migrated 2"}, {ledgers(upTo2), "", "500"}}},
		{"older code without migrations", []step{{first, "", ""}, {ledgers(upTo2), "", "7 ran 2, migrated 2"}, {first, "", "500"}, {ledgers(upTo2), "", "7 ran , migrated 2"}}},
		{"a room that newer code has made", []step{{ledgers(upTo2), "write", " ran , migrated 0"}, {first, "", "500"}}},
		{"a room that newer code has left empty", []step{{ledgers(upTo2), "", " ran , migrated 0"}, {first, "", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memory.New()
			for n, step := range c.steps {
				s := partytest.New(t, step.app, partytest.Store(store), quiet())
				if got := ask(t, s, step.do); got != step.want {
					t.Fatalf("step %d: got %q, want %q", n+1, got, step.want)
				}
			}
		})
	}
}

// TestNewerDataIsSaid wants the error of a room that newer code has migrated to say so.
func TestNewerDataIsSaid(t *testing.T) {
	store := memory.New()
	ask(t, partytest.New(t, ledgers(upTo3), partytest.Store(store), quiet()), "write")
	failed := make(chan error, 1)
	old := partytest.Rooms(party.Definition{Name: "ledger", Type: "Ledger", New: func() party.Instance {
		l := new(firstLedger)
		return party.Instance{Room: &l.Room, Request: l, Exception: exceptions(failed)}
	}})
	if got := ask(t, partytest.New(t, old, partytest.Store(store), quiet()), ""); got != "500" {
		t.Errorf("got %q, want 500", got)
	}
	err := within(t, "the room", failed)
	if want := "the room's data is of a newer version than this code: it is 3, and Ledger knows 1"; !errors.Is(err, party.ErrNewerData) || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %s", err, want)
	}
}
