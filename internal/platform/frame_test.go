package platform

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestFramesAreUnderstood lets gorilla read what appendFrame writes.
func TestFramesAreUnderstood(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
		for _, isBinary := range []bool{false, true} {
			payload := strings.Repeat("x", size)
			kind, got, err := read(t, appendFrame([]byte{}, opcode(isBinary), payload))
			if string(got) != payload || kind != opcode(isBinary) || err != nil {
				t.Errorf("%d bytes, binary %v: got kind %d, %d bytes, %v", size, isBinary, kind, len(got), err)
			}
		}
	}
}

func TestCloseFrames(t *testing.T) {
	for _, test := range []struct {
		code, want int
		reason     string
	}{
		{1000, 1000, ""}, {1011, 1011, "oops"}, {4999, 4999, strings.Repeat("x", 123)},
		{0, 1005, "dropped"}, {1005, 1005, "dropped"}, {1006, 1005, "dropped"}, {1015, 1005, "dropped"},
	} {
		frame := appendClose(nil, test.code, test.reason)
		if len(frame) > 127 {
			t.Errorf("%d: a control frame of %d bytes", test.code, len(frame))
		}
		_, _, err := read(t, frame)
		reason := test.reason
		if test.want == 1005 {
			reason = ""
		}
		if ce, ok := err.(*websocket.CloseError); !ok || ce.Code != test.want || ce.Text != reason {
			t.Errorf("%d: got %v, want %d %q", test.code, err, test.want, reason)
		}
	}
}

// read is a client that gets these bytes after its handshake.
func read(t *testing.T, data []byte) (int, []byte, error) {
	t.Helper()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		ws.NetConn().Write(data)
		ws.ReadMessage() // until the client goes
		ws.Close()
	}))
	defer hs.Close()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	return ws.ReadMessage()
}
