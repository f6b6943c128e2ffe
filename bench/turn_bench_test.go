package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/goparty-dev/party/internal/link"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage"
)

// These benchmarks show what the runtime and the platform cost by themselves, without
// sockets and system calls. They run as tests do: go test -bench . ./bench

// talker does in each turn what the message says.
type talker struct{ party.Room }

func (r *talker) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	switch msg.Text() {
	case "echo":
		return conn.Send(msg)
	case "broadcast":
		return r.Broadcast(msg, party.Except(conn))
	case "put":
		return r.Storage().Put(ctx, "key", []byte("value"))
	case "get":
		_, _, err := party.Get[string](ctx, r.Storage(), "key")
		return err
	}
	return nil
}

func (r *talker) OnRequest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "hello from a room\n")
}

// sink is a seat that takes everything and does nothing.
type sink struct {
	link.Seat
	applied int
}

func (s *sink) Apply(b *link.Batch) {
	s.applied++
	b.Free()
}

func (s *sink) Get(context.Context, []string) (map[string][]byte, error) {
	return map[string][]byte{"key": []byte(`"value"`)}, nil
}

func (s *sink) Release([]*link.Event) {}

// BenchmarkTurn runs turns of a room that has one connection.
func BenchmarkTurn(b *testing.B) {
	for _, message := range []string{"nothing", "echo", "broadcast", "put", "get"} {
		b.Run(message, func(b *testing.B) {
			host, err := party.NewHost(&party.App{Rooms: []party.Definition{party.Define[talker]("talker")}}, party.HostOptions{})
			if err != nil {
				b.Fatal(err)
			}
			var s sink
			room := host.Wake(link.Wake{
				Room: storage.Room{Party: "talker", Name: "bench"}, Fence: 1, Seat: &s,
				Sessions: []link.Session{{ID: 1, Conn: "ada", Tags: []string{"ada"}, Request: &http.Request{}}},
			})
			defer room.Evict(0)
			b.ReportAllocs()
			events := uint64(0)
			for b.Loop() {
				events++
				if !room.Deliver(&link.Event{Kind: link.Message, Seq: events, Session: 1, Data: message}) {
					b.Fatal("event not taken")
				}
			}
			if s.applied < int(events) {
				b.Errorf("%d batches for %d events", s.applied, events)
			}
		})
	}
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
	bytes  int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// BenchmarkRequest answers requests to one room, without net/http's server.
func BenchmarkRequest(b *testing.B) {
	s, err := server.New(server.Rooms(party.Define[talker]("talker")), server.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	r, err := http.NewRequest(http.MethodGet, "/parties/talker/bench", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := discard{header: make(http.Header)}
		s.ServeHTTP(&w, r)
		if w.status != http.StatusOK || w.bytes == 0 {
			b.Fatalf("status %d, %d bytes", w.status, w.bytes)
		}
	}
}
