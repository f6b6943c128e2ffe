package server_test

import (
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
)

// inBothForms serves an app twice: with the host called directly, and at the
// other end of a stream, as in party dev.
func inBothForms(t *testing.T, app *party.App, platformOpts platform.Options, hostOpts party.HostOptions, check func(t *testing.T, hs *httptest.Server)) {
	if hostOpts.Logger == nil {
		hostOpts.Logger = slog.New(slog.DiscardHandler)
	}
	newHost := func(stream.Init) (link.Host, error) { return party.NewHost(app, hostOpts) }
	run := func(name string, host func(t *testing.T) (link.Host, error)) {
		t.Run(name, func(t *testing.T) {
			h, err := host(t)
			if err != nil {
				t.Fatal(err)
			}
			p, hs := serve(t, platformOpts)
			p.SetHost(h)
			check(t, hs)
		})
	}
	run("direct", func(*testing.T) (link.Host, error) { return newHost(stream.Init{}) })
	run("streamed", func(t *testing.T) (link.Host, error) {
		ours, theirs := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- stream.Serve(theirs, newHost) }()
		t.Cleanup(func() {
			ours.Close()
			<-served // however it ends, the platform has gone
		})
		return stream.Connect(t.Context(), ours, stream.Init{})
	})
}
