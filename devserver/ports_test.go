package devserver

import (
	"net"
	"strings"
	"testing"
)

func closeAll(t *testing.T, all []net.Listener) {
	t.Helper()
	for _, l := range all {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestListen(t *testing.T) {
	ctx := t.Context()
	first, port, err := listen(ctx, "", 0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, first)
	for _, l := range first {
		addr := l.Addr().(*net.TCPAddr)
		if addr.Port != port || !addr.IP.IsLoopback() {
			t.Errorf("listens on %v, want loopback and port %d", addr, port)
		}
	}

	if _, _, err := listen(ctx, "", port, true); err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), "--port") {
		t.Errorf("a taken port that has to be: %v", err)
	}
	second, other, err := listen(ctx, "", port, false)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, second)
	if other <= port {
		t.Errorf("port %d is taken: got %d, want one after it", port, other)
	}

	third, _, err := listen(ctx, "127.0.0.1", 0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, third)
	if len(third) != 1 {
		t.Errorf("%d listeners for one host", len(third))
	}
	if _, _, err := listen(ctx, "no such host.invalid", 0, true); err == nil {
		t.Error("a host that is none: no error")
	}
}

// A port that is taken on one of the loopback addresses only is taken.
func TestListenWantsAllAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Log("this machine has no IPv6 loopback, there is nothing to test:", err)
		return
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if _, _, err := listen(t.Context(), "", port, true); err == nil {
		t.Error("no error")
	}
}
