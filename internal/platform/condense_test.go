package platform

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzCondense(f *testing.F) {
	f.Add("GET /parties/a/b%2Fc?_pk=1&x=%20 HTTP/1.1\r\nHost: example.com:80\r\nCookie: a=b; c=d\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Empty:\r\nX-Latin: \xe9\r\n\r\n")
	f.Add("GET //double//slash HTTP/1.0\r\n\r\n")
	f.Add("GET http://proxy/x HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil || r.Body != http.NoBody || !strings.HasPrefix(r.RequestURI, "/") || len(r.Trailer) > 0 {
			return // nothing that the gateway makes a session of
		}
		for name, values := range r.Header {
			if strings.Trim(name, "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" || strings.ContainsFunc(strings.Join(values, ""), unicode.IsControl) {
				return // net/http refuses the control characters, and most of these names
			}
		}
		r.RemoteAddr = "127.0.0.1:1"
		got := condense(r).request()
		if diff := cmp.Diff(got, stored(r), cmpopts.IgnoreUnexported(http.Request{}), cmpopts.EquateEmpty(), cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Body" }, cmp.Ignore())); diff != "" {
			t.Errorf("%q (-got +want):\n%s", text, diff)
		}
	})
}
