//go:build unix

package hosting

import (
	"testing"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func TestDeployKeepsSockets(t *testing.T) {
	s := newSite(t)
	list := s.deploy("chat", "v1")
	if ev := find(t, list, api.Healthy); ev.URL != "http://chat.apps.test:"+s.host.port() {
		t.Errorf("it is healthy at %q", ev.URL)
	}
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	moved := find(t, s.deploy("chat", "v2"), api.HandedOver)
	if moved.Sockets != 1 || moved.Rooms != 1 {
		t.Errorf("handed over: %+v, want 1 room with 1 socket", moved)
	}
	c.talk("b", "2 v2 b")
	back := find(t, s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), nil)), api.HandedOver)
	if back.Sockets != 1 {
		t.Errorf("rolled back: %+v, want 1 socket", back)
	}
	c.talk("c", "3 v1 c")
}
