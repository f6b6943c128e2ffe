package party_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

type tree struct {
	Name string
	Kids []*tree
}

// keeper has a field of each kind, and does what it is asked to by requests.
type keeper struct {
	party.Room
	Topic   string
	Since   time.Time
	Order   []string
	Scores  map[string]int
	Tree    tree
	Number  float64
	started string
}

// fields are what generated code makes of party:"persist" tags.
func (k *keeper) fields() []party.Persisted {
	return []party.Persisted{
		party.PersistValue("topic", &k.Topic),
		party.PersistValue("since", &k.Since),
		party.PersistSlice("order", &k.Order),
		party.PersistMap("scores", &k.Scores),
		party.PersistJSON("tree", &k.Tree),
		party.PersistValue("number", &k.Number),
	}
}

func (k *keeper) String() string {
	return fmt.Sprintf("%s %d %v %v %s%d %v", k.Topic, k.Since.Unix(), k.Order, k.Scores, k.Tree.Name, len(k.Tree.Kids), k.Number)
}

func (k *keeper) OnStart(ctx context.Context) error {
	k.started = k.String()
	return nil
}

func (k *keeper) change() {
	k.Topic += "!"
	k.Since = time.Unix(1e9, 0)
	k.Order = append(k.Order, "a")
	if k.Scores == nil {
		k.Scores = make(map[string]int)
	}
	k.Scores["ada"]++
	k.Tree.Name = "root"
	k.Tree.Kids = append(k.Tree.Kids, &tree{Name: "leaf"})
	k.Number++
}

func (k *keeper) OnRequest(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	for what := range strings.SplitSeq(r.URL.Query().Get("do"), ",") {
		switch what {
		case "change":
			k.change()
		case "put":
			if err := k.Storage().Put(ctx, "mine", 1); err != nil {
				panic(err)
			}
		case "clear":
			if err := k.Storage().DeleteAll(ctx); err != nil {
				panic(err)
			}
		case "await":
			if err := k.Await(ctx, func(context.Context) error { return nil }); err != nil {
				panic(err)
			}
		case "nan":
			k.Number = math.NaN()
		case "panic":
			panic("asked to")
		case "list":
			list, err := k.Storage().List(ctx, party.ListOptions{})
			if err != nil {
				panic(err)
			}
			for _, e := range list {
				fmt.Fprintf(w, "%q ", e.Key)
			}
		case "started":
			fmt.Fprint(w, k.started)
			return
		}
	}
	fmt.Fprint(w, k.String())
}

func keepers() *party.App {
	return partytest.Rooms(party.Definition{
		Name: "keeper", Type: "keeper", Hibernate: true,
		New: func() party.Instance {
			k := new(keeper)
			return party.Instance{Room: &k.Room, Start: k, Request: k, Persist: k.fields()}
		},
	})
}

func quiet() partytest.Option { return partytest.Logger(slog.New(slog.DiscardHandler)) }

// ask asks room a of a party to do things and returns its answer.
func ask(t *testing.T, s *partytest.Server, what string) string {
	t.Helper()
	resp := s.Request("GET", "/party/a?do="+what, "")
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprint(resp.StatusCode)
	}
	return string(b)
}

const (
	fresh   = " -62135596800 [] map[] 0 0"
	changed = "! 1000000000 [a] map[ada:1] root1 1"
	twice   = "!! 1000000000 [a a] map[ada:2] root2 2"
)

func TestPersistedFields(t *testing.T) {
	for _, c := range []struct{ name, do, then, want string }{
		{"a fresh room", "nothing", "", fresh},
		{"changed", "change", "", changed},
		{"changed before an await and after it", "change,await,change", "", twice},
		{"a panic keeps nothing", "change,panic", "500", fresh},
		{"a panic keeps what was before an await", "change,await,change,panic", "500", changed},
		{"what cannot be encoded keeps nothing", "change,put,nan", "500", fresh},
		{"deleting all entries keeps the fields", "change,clear", "", changed},
		{"also those that were saved before", "change,await,put,clear", "", changed},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memory.New()
			s := partytest.New(t, keepers(), partytest.Store(store), quiet())
			want := c.then
			if want == "" {
				want = c.want
			}
			if got := ask(t, s, c.do); got != want {
				t.Errorf("%s: got %s, want %s", c.do, got, want)
			}
			if got := ask(t, s, ""); got != c.want {
				t.Errorf("next turn: got %s, want %s", got, c.want)
			}
			s.Hibernate("keeper", "a")
			if got := ask(t, s, "started"); got != c.want {
				t.Errorf("OnStart after hibernation saw %s, want %s", got, c.want)
			}
			// The first server has not let go of the room: it might as well have been killed.
			if got := ask(t, partytest.New(t, keepers(), partytest.Store(store)), "started"); got != c.want {
				t.Errorf("OnStart of another server saw %s, want %s", got, c.want)
			}
		})
	}
}

// TestUndoneFieldIsSavedLater wants the change after a panic to reach the store,
// although the one that was dropped was the same.
func TestUndoneFieldIsSavedLater(t *testing.T) {
	s := partytest.New(t, keepers(), quiet())
	ask(t, s, "change,panic")
	ask(t, s, "change")
	s.Hibernate("keeper", "a")
	if got := ask(t, s, ""); got != changed {
		t.Errorf("got %s, want %s", got, changed)
	}
}

// writes counts the operations that a store is given.
type writes struct {
	storage.Store
	ops []string
}

func (w *writes) Commit(c storage.Commit, done func(error)) {
	for _, op := range c.Ops {
		w.ops = append(w.ops, op.Key)
	}
	w.Store.Commit(c, done)
}

func TestOnlyChangedFieldsAreSaved(t *testing.T) {
	w := &writes{Store: memory.New()}
	s := partytest.New(t, keepers(), partytest.Store(w))
	ask(t, s, "change")
	if len(w.ops) != 6 {
		t.Errorf("wrote %q, want six fields", w.ops)
	}
	w.ops = nil
	ask(t, s, "")
	ask(t, s, "put")
	if diff := cmp.Diff(w.ops, []string{"mine"}); diff != "" {
		t.Errorf("a turn that changed no field (-got +want):\n%s", diff)
	}
}

func TestFieldsAreHidden(t *testing.T) {
	s := partytest.New(t, keepers())
	if got, want := ask(t, s, "change,put,await,list"), `"mine" `+changed; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// intruder tries keys of the runtime's.
type intruder struct {
	party.Room
	errs []error
	list []party.Entry
}

func (k *intruder) OnStart(ctx context.Context) error {
	const key = "\x00field/topic"
	_, get := k.Storage().Get(ctx, key, new(string))
	_, del := k.Storage().Delete(ctx, "a", key)
	k.errs = append(k.errs, k.Storage().Put(ctx, key, 1), get, del)
	for _, o := range []party.ListOptions{{Prefix: "\x00"}, {Start: "\x00"}, {StartAfter: "\x00"}, {End: "\x01"}, {Reverse: true}} {
		list, err := k.Storage().List(ctx, o)
		k.list, k.errs = append(k.list, list...), append(k.errs, err)
	}
	return nil
}

func TestReservedKeys(t *testing.T) {
	store, room := memory.New(), storage.Room{Party: "intruder", Name: "a"}
	claim, err := store.Claim(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	store.Commit(storage.Commit{Room: room, Fence: claim.Fence, Ops: []storage.Op{{Key: "\x00field/topic", Value: []byte("1")}}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	in := new(intruder)
	s := partytest.New(t, partytest.Rooms(party.Definition{Name: "intruder", New: func() party.Instance {
		return party.Instance{Room: &in.Room, Start: in}
	}}), partytest.Store(store))
	s.Connect("/parties/intruder/a")
	for n, err := range in.errs {
		if n < 3 != errors.Is(err, party.ErrReservedKey) {
			t.Errorf("call %d: %v", n, err)
		}
	}
	if len(in.list) > 0 || len(in.errs) != 8 {
		t.Errorf("%d calls, listed %v", len(in.errs), in.list)
	}
}

func TestFieldThatDoesNotFit(t *testing.T) {
	app := func(field func(*keeper) party.Persisted) *party.App {
		return partytest.Rooms(party.Definition{Name: "keeper", Type: "keeper", New: func() party.Instance {
			k := new(keeper)
			return party.Instance{Room: &k.Room, Request: k, Persist: []party.Persisted{field(k)}}
		}})
	}
	text := app(func(k *keeper) party.Persisted { return party.PersistValue("f", &k.Topic) })
	store := memory.New()
	ask(t, partytest.New(t, text, partytest.Store(store)), "change")
	number := partytest.New(t, app(func(k *keeper) party.Persisted { return party.PersistValue("f", &k.Number) }), partytest.Store(store), quiet())
	for range 2 {
		if got := ask(t, number, "change"); got != "500" {
			t.Errorf("under code with another type: got %s, want 500", got)
		}
	}
	if got, want := ask(t, partytest.New(t, text, partytest.Store(store)), "await"), "! -62135596800 [] map[] 0 0"; got != want {
		t.Errorf("under the old code again: got %s, want %s", got, want)
	}
}

func TestBadDefinitions(t *testing.T) {
	k := new(keeper)
	for name, i := range map[string]party.Instance{
		"a name twice": {Room: &k.Room, Persist: []party.Persisted{party.PersistValue("f", &k.Topic), party.PersistValue("f", &k.Number)}},
		"no name":      {Room: &k.Room, Persist: []party.Persisted{party.PersistValue("", &k.Topic)}},
		"version 1":    {Room: &k.Room, Migrate: []party.DataMigration{{Version: 1}}},
		"descending":   {Room: &k.Room, Migrate: []party.DataMigration{{Version: 3}, {Version: 2}}},
	} {
		_, err := party.NewHost(&party.App{Rooms: []party.Definition{{Name: "keeper", New: func() party.Instance { return i }}}}, party.HostOptions{})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
