package platform

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// routes is what a host serves, ready for look-ups.
type routes struct {
	info    link.Info
	parties map[string]link.Party
	main    string
	engines bool // some party speaks Engine.IO
}

func newRoutes(info link.Info) *routes {
	rt := &routes{info: info, parties: make(map[string]link.Party, len(info.Parties))}
	for _, p := range info.Parties {
		rt.parties[p.Name] = p
		rt.engines = rt.engines || p.Engine != nil
		if p.Main {
			rt.main = p.Name
		}
	}
	return rt
}

// badRoute is an address that names a room, wrongly.
type badRoute struct {
	status int
	text   string
}

func (e *badRoute) Error() string { return e.text }

// match finds the room that a URL addresses: /parties/:party/:room, or
// /party/:room for the main party, each with anything behind it. Without a match the party is "".
// path is the escaped path.
func (p *Platform) match(rt *routes, path string) (link.Party, storage.Room, error) {
	rest, ok := cutSegments(path, p.opts.Prefix)
	name := ""
	if ok {
		name, rest, _ = strings.Cut(rest, "/")
	} else if rest, ok = strings.CutPrefix(path, "/party/"); ok {
		name = "main"
	} else {
		return link.Party{}, storage.Room{}, nil
	}
	segment, _, _ := strings.Cut(rest, "/")
	if name == "" || segment == "" {
		return link.Party{}, storage.Room{}, nil
	}
	party, err := p.party(rt, name)
	if err != nil {
		return link.Party{}, storage.Room{}, err
	}
	room, err := url.PathUnescape(segment)
	if err != nil || !utf8.ValidString(room) {
		return link.Party{}, storage.Room{}, &badRoute{400, "room name is not valid UTF-8\n"}
	}
	if max := p.limits.RoomNameBytes; len(room) > max {
		return link.Party{}, storage.Room{}, &badRoute{400, fmt.Sprintf("room name is longer than %d bytes\n", max)}
	}
	return party, storage.Room{Party: party.Name, Name: room}, nil
}

// party finds a party by the name in a URL: without regard to case, and "main" for the main one.
func (p *Platform) party(rt *routes, segment string) (link.Party, error) {
	name, err := url.PathUnescape(segment)
	if err == nil {
		name = strings.ToLower(name)
		if party, ok := rt.parties[name]; ok {
			return party, nil
		}
		if name == "main" && rt.main != "" {
			return rt.parties[rt.main], nil
		}
	}
	text := "party not found\n"
	if p.opts.Dev {
		names := make([]string, 0, len(rt.parties))
		for n := range rt.parties {
			names = append(names, n)
		}
		slices.Sort(names)
		text = fmt.Sprintf("party %q not found; there is: %s\n", name, strings.Join(names, ", "))
	}
	return link.Party{}, &badRoute{404, text}
}

// cutSegments removes a prefix of whole segments and the slash behind it.
func cutSegments(path, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return path, false
	}
	if rest, ok = strings.CutPrefix(rest, prefix); !ok {
		return path, false
	}
	if rest, ok = strings.CutPrefix(rest, "/"); !ok {
		return path, false
	}
	return rest, true
}

// roomURL is the URL that a room sees for a request from inside: its own, with
// the request's path and query behind it.
func (p *Platform) roomURL(key storage.Room, r *http.Request) *url.URL {
	rest := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	raw := "/" + p.opts.Prefix + "/" + url.PathEscape(key.Party) + "/" + url.PathEscape(key.Name)
	if rest != "" {
		raw += "/" + rest
	}
	plain, err := url.PathUnescape(raw)
	if err != nil {
		plain = raw
	}
	return &url.URL{Path: plain, RawPath: raw, RawQuery: r.URL.RawQuery}
}
