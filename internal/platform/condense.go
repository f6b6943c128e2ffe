package platform

import (
	"bufio"
	"cmp"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// condensed is the request of an upgrade while nobody looks at it: a room is shown it once more when it meets the
// socket again after a reload. As one string it takes a third of the memory.
type condensed string

func condense(r *http.Request) condensed {
	changed := "" // URL, by a hook
	if u, err := url.ParseRequestURI(r.RequestURI); err != nil || *u != *r.URL {
		changed = r.URL.RequestURI()
	}
	var b strings.Builder
	for _, part := range []string{r.Method, r.Proto, r.Host, r.RemoteAddr, r.RequestURI, changed} {
		b.WriteString(strings.ReplaceAll(part, "\x00", "")) // a hook may have made it
		b.WriteByte(0)
	}
	_ = r.Header.Write(&b) // a Builder takes everything
	b.WriteString("\r\n")
	return condensed(strings.Clone(b.String()))
}

// request makes the request again.
func (c condensed) request() *http.Request {
	parts := strings.SplitN(string(c), "\x00", 7)
	r := &http.Request{
		Method: parts[0], Proto: parts[1], Host: parts[2], RemoteAddr: parts[3], RequestURI: parts[4],
		Body: http.NoBody, Header: http.Header{},
	}
	r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	if u, err := url.ParseRequestURI(cmp.Or(parts[5], r.RequestURI)); err == nil {
		r.URL = u
	} else {
		r.URL = &url.URL{Path: "/"}
	}
	if h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(parts[6]))).ReadMIMEHeader(); err == nil {
		r.Header = http.Header(h)
	}
	return r
}
