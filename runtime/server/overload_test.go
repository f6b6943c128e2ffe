package server_test

import (
	"testing"
	"testing/synctest"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
)

// TestOverload turns away requests and newcomers of a room that cannot start, when
// too many wait; the frames of those who are in are never lost.
func TestOverload(t *testing.T) {
	inPlatform(t, platform.Options{Limits: manifest.Limits{RoomQueue: 2}}, func(p *platform.Platform, in *pipes) {
		s := script{request: say("ok"), message: echo}.define("chat", party.AsHibernating())
		<-p.SetHost(host(t, party.HostOptions{}, s))
		var members []*reader
		for range 4 {
			members = append(members, in.mustDial("/party/x"))
		}
		synctest.Wait()
		<-p.SetHost(host(t, party.HostOptions{}, s)) // asleep
		p.SetHost(nil)
		var waiting []<-chan answer
		for range 2 {
			waiting = append(waiting, in.request("GET", "/party/x"))
		}
		synctest.Wait()
		if a, ok := arrived(in.request("GET", "/party/x")); !ok || a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("request: got %v, %v, want 503 with Retry-After", a, ok)
		}
		if _, err := in.dial("/party/x"); err == nil {
			t.Error("a newcomer was let in")
		}
		for _, c := range members {
			c.say(t, "late")
		}
		synctest.Wait()
		p.SetHost(host(t, party.HostOptions{}, s))
		for _, c := range waiting {
			if a, ok := arrived(c); !ok || a.body != "ok" {
				t.Errorf("who waited: got %v, %v", a, ok)
			}
		}
		for n, c := range members {
			if got := c.take(); got != "late" {
				t.Errorf("member %d: got %q", n, got)
			}
		}
	})
}
