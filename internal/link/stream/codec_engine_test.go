package stream

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
)

func TestInfoWithEngine(t *testing.T) {
	want := link.Info{Parties: []link.Party{
		{Name: "plain", Type: "Plain"},
		{Name: "io", Type: "func", Main: true, Engine: &link.Engine{
			Path: "/socket.io/", Mount: "/io/", MountRoom: "main", Polling: true, WebSocket: true, NoUpgrade: true,
			PingInterval: 25 * time.Second, PingTimeout: time.Millisecond, UpgradeTimeout: time.Minute, MaxPayload: 1e6,
			Cookie: &http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode},
			CORS:   &link.EngineCORS{Origins: []string{"*"}, Credentials: true, MaxAge: 5},
		}},
		{Name: "after", Type: "After", Engine: &link.Engine{}},
	}, Fetch: true}
	d := &decoder{b: appendInfo(nil, want)}
	got := d.info()
	if err := d.done(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d = &decoder{b: []byte{3, '{', '}', 'x'}}
	if d.engine(); !d.bad {
		t.Error("malformed settings were taken")
	}
}
