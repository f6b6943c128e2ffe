package credentials

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Schemes of addresses.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	schemeSSH   = "ssh"
)

// Address returns the normal form of where a host is, under which its token is kept:
//
//	https://party.example.com           the API of a host; without a scheme https is meant
//	http://localhost:8443               plain HTTP, to this machine only
//	ssh://deploy@example.com[:22]       a server that is reached by SSH; deploy@example.com is short for it
//
// Nothing may follow the port. Plain HTTP to another machine is an error, since it would show the
// token to everybody in between.
func Address(text string) (string, error) {
	u, err := parse(text)
	if err != nil {
		return "", fmt.Errorf("host %q: %w", redacted(text), err)
	}
	return u.String(), nil
}

// IsSSH reports whether an address in its normal form is reached by SSH.
func IsSSH(address string) bool { return strings.HasPrefix(address, schemeSSH+"://") }

func parse(text string) (*url.URL, error) {
	full := strings.TrimSpace(text)
	if full == "" {
		return nil, fmt.Errorf("it is empty")
	}
	if !strings.Contains(full, "://") {
		scheme := schemeHTTPS
		if strings.Contains(full, "@") {
			scheme = schemeSSH
		}
		full = scheme + "://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("it is no address: write https://HOST or ssh://USER@HOST")
	}
	if _, has := u.User.Password(); has {
		return nil, fmt.Errorf("it has a password in it, which is of no use: party login asks for a token")
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("nothing may follow the name and port of the host")
	}
	name, port := strings.ToLower(u.Hostname()), u.Port()
	switch u.Scheme {
	case schemeHTTPS:
		port = without(port, "443")
	case schemeHTTP:
		if !loopback(name) {
			return nil, fmt.Errorf("plain http would show the token to everybody in between: write https://%s", u.Host)
		}
		port = without(port, "80")
	case schemeSSH:
		port = without(port, "22")
	default:
		return nil, fmt.Errorf("%q is not a way to reach a host: write https://HOST or ssh://USER@HOST", u.Scheme)
	}
	if u.User != nil && u.Scheme != schemeSSH {
		return nil, fmt.Errorf("it has a user name in it, which is of use with ssh:// only")
	}
	out := &url.URL{Scheme: u.Scheme, User: u.User, Host: name}
	if strings.Contains(name, ":") {
		out.Host = "[" + name + "]"
	}
	if port != "" {
		out.Host = net.JoinHostPort(name, port)
	}
	return out, nil
}

func without(port, usual string) string {
	if port == usual {
		return ""
	}
	return port
}

// loopback reports whether a name is this machine's own in every resolver.
func loopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

// redacted is an address that can be shown: what was typed may have a password in it.
func redacted(text string) string {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return text
	}
	scheme, user, ok := strings.Cut(text[:at], "://")
	if !ok {
		scheme, user = "", text[:at]
	} else {
		scheme += "://"
	}
	if name, _, has := strings.Cut(user, ":"); has {
		user = name + ":…"
	}
	return scheme + user + text[at:]
}
