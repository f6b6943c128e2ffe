package stream

import (
	"net/http"
	"net/url"
)

// appendHeader keeps nil apart from empty.
func appendHeader(b []byte, h http.Header) []byte {
	if h == nil {
		return append(b, 0)
	}
	b = appendUint(b, uint64(len(h))+1)
	for k, values := range h {
		b = appendStrings(appendString(b, k), values)
	}
	return b
}

func (d *decoder) header() http.Header {
	n := d.uint()
	if n == 0 || n-1 > uint64(len(d.b)/2) {
		if n != 0 {
			d.fail()
		}
		return nil
	}
	h := make(http.Header, capacity(int(n-1)))
	for range n - 1 {
		if d.bad {
			return nil
		}
		k := d.string()
		h[k] = d.strings()
	}
	return h
}

// The parts of a URL, which are carried as they are: putting them together
// and parsing them again would not give the same in every case.
const (
	urlPresent = 1 << iota
	urlScheme
	urlOpaque
	urlUser
	urlPassword
	urlHost
	urlPath
	urlRawPath
	urlRawQuery
	urlFragment
	urlRawFragment
	urlForceQuery
	urlOmitHost
)

func appendURL(b []byte, u *url.URL) []byte {
	if u == nil {
		return append(b, 0)
	}
	flags := uint64(urlPresent)
	var user, password string
	if u.User != nil {
		flags |= urlUser
		user = u.User.Username()
		var set bool
		if password, set = u.User.Password(); set {
			flags |= urlPassword
		}
	}
	if u.ForceQuery {
		flags |= urlForceQuery
	}
	if u.OmitHost {
		flags |= urlOmitHost
	}
	parts := [...]struct {
		flag uint64
		text string
	}{
		{urlScheme, u.Scheme}, {urlOpaque, u.Opaque}, {urlUser, user}, {urlPassword, password}, {urlHost, u.Host}, {urlPath, u.Path},
		{urlRawPath, u.RawPath}, {urlRawQuery, u.RawQuery}, {urlFragment, u.Fragment}, {urlRawFragment, u.RawFragment},
	}
	for _, p := range parts {
		if p.text != "" {
			flags |= p.flag
		}
	}
	b = appendUint(b, flags)
	for _, p := range parts {
		if flags&p.flag != 0 {
			b = appendString(b, p.text)
		}
	}
	return b
}

func (d *decoder) url() *url.URL {
	flags := d.uint()
	if flags&urlPresent == 0 {
		return nil
	}
	part := func(flag uint64) string {
		if flags&flag == 0 {
			return ""
		}
		return d.string()
	}
	u := &url.URL{ForceQuery: flags&urlForceQuery != 0, OmitHost: flags&urlOmitHost != 0}
	u.Scheme = part(urlScheme)
	u.Opaque = part(urlOpaque)
	user, password := part(urlUser), part(urlPassword)
	switch {
	case flags&urlPassword != 0:
		u.User = url.UserPassword(user, password)
	case flags&urlUser != 0:
		u.User = url.User(user)
	}
	u.Host = part(urlHost)
	u.Path = part(urlPath)
	u.RawPath = part(urlRawPath)
	u.RawQuery = part(urlRawQuery)
	u.Fragment = part(urlFragment)
	u.RawFragment = part(urlRawFragment)
	return u
}

// appendRequest carries what a handler looks at. TLS state, trailers and path
// values of a mux stay behind.
func appendRequest(b []byte, r *http.Request, body []byte) []byte {
	b = appendString(b, r.Method)
	b = appendURL(b, r.URL)
	b = appendString(b, r.Proto)
	b = appendInt(appendInt(b, int64(r.ProtoMajor)), int64(r.ProtoMinor))
	b = appendHeader(b, r.Header)
	b = appendString(b, r.Host)
	b = appendString(b, r.RemoteAddr)
	b = appendString(b, r.RequestURI)
	b = appendInt(b, r.ContentLength)
	return appendString(b, body)
}

// request decodes a request. Its header, URL and body are never nil.
func (d *decoder) request() *http.Request {
	r := &http.Request{Method: d.string(), URL: d.url(), Proto: d.string()}
	r.ProtoMajor, r.ProtoMinor = int(d.int()), int(d.int())
	r.Header = d.header()
	r.Host = d.string()
	r.RemoteAddr = d.string()
	r.RequestURI = d.string()
	r.ContentLength = d.int()
	r.Body = newBody(d.bytes())
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if r.URL == nil {
		r.URL = new(url.URL)
	}
	return r
}
