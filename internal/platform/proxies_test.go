package platform

import (
	"net/http"
	"strings"
	"testing"
)

func TestClientBehindProxies(t *testing.T) {
	p, err := newProxies([]string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header []string
		want   string // "" for none
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"203.0.113.5"}, "203.0.113.5"},
		{[]string{"203.0.113.5, 10.1.2.3"}, "203.0.113.5"},
		{[]string{"203.0.113.5", "10.1.2.3"}, "203.0.113.5"},
		{[]string{"1.1.1.1, 203.0.113.5, 192.0.2.7,10.1.2.3"}, "203.0.113.5"}, // the first is the client's own invention
		{[]string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},                          // from inside
		{[]string{"nonsense, 10.0.0.2"}, "10.0.0.2"},
		{[]string{"203.0.113.5, unknown"}, ""},
		{[]string{"203.0.113.5:4711"}, "203.0.113.5"},
		{[]string{"[2001:db9::1]:80, [2001:db8::2]"}, "2001:db9::1"},
		{[]string{"::ffff:203.0.113.5, ::ffff:10.0.0.1"}, "203.0.113.5"},
	} {
		got := ""
		if a, ok := p.client(c.header); ok {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.header, got, c.want)
		}
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	p, err := newProxies(nil)
	r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"203.0.113.5"}}}
	if err != nil || p.believe(r) != r {
		t.Errorf("%v: a header is believed of whoever comes", err)
	}
	for _, wrong := range []string{"", "10.0.0.0/33", "localhost", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if _, err := newProxies([]string{wrong}); err == nil || !strings.Contains(err.Error(), "must be") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// FuzzClientBehindProxies shows that what a client writes before what the proxy adds has no effect.
func FuzzClientBehindProxies(f *testing.F) {
	p, err := newProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("1.2.3.4")
	f.Add("1.2.3.4, [::1]:80,unknown")
	f.Add("[[, ]:, %")
	f.Fuzz(func(t *testing.T, header string) {
		if a, ok := p.client([]string{header}); ok && !a.IsValid() {
			t.Errorf("%q: no address", header)
		}
		a, ok := p.client([]string{header, "203.0.113.5", "10.0.0.1"})
		if !ok || a.String() != "203.0.113.5" {
			t.Errorf("%q: got %v", header, a)
		}
	})
}
