package party

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// HostOptions configure a host.
type HostOptions struct {
	Vars      []byte        // the environment, a JSON object
	Dev       bool          // show stack traces to clients
	IdleAfter time.Duration // how long a room must be idle to be dropped from memory. Default 10 s
	Logger    *slog.Logger  // default slog.Default()
}

// Host runs an App's rooms and functions for a platform. Package server
// makes one; room code has no use for it.
type Host struct {
	app     *App
	parties map[string]*Definition
	info    link.Info
	env     Env
	dev     bool
	rest    restQueue
	log     *slog.Logger
	starts  startWaits
}

var _ link.Host = (*Host)(nil)

// isPartyName reports whether s is lower case letters, digits and single hyphens between them.
func isPartyName(s string) bool {
	if s == "" || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") || strings.Contains(s, "--") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// NewHost checks the app and makes a host for it.
func NewHost(app *App, o HostOptions) (*Host, error) {
	if app.Generated != 0 && app.Generated != GeneratedVersion {
		return nil, fmt.Errorf("party_gen.go was generated for version %d of the runtime, this is version %d: run \"party generate\"", app.Generated, GeneratedVersion)
	}
	env, err := parseEnv(o.Vars)
	if err != nil {
		return nil, err
	}
	h := &Host{
		app: app, env: env, dev: o.Dev, log: o.Logger, rest: restQueue{after: o.IdleAfter},
		parties: make(map[string]*Definition, len(app.Rooms)),
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	if h.rest.after <= 0 {
		h.rest.after = 10 * time.Second
	}
	if err := h.addRooms(app.Rooms); err != nil {
		return nil, err
	}
	if app.Socket != nil {
		h.parties[link.SocketParty] = h.socketDefinition()
	}
	return h, nil
}

func (h *Host) addRooms(defs []Definition) error {
	main := ""
	for n := range defs {
		d := &defs[n]
		switch {
		case !isPartyName(d.Name):
			return fmt.Errorf("party name %q: use lower case letters, digits and single hyphens", d.Name)
		case h.parties[d.Name] != nil:
			return fmt.Errorf("two room types are named %q: %s and %s", d.Name, h.parties[d.Name].Type, d.Type)
		case d.Main && main != "":
			return fmt.Errorf("two room types are the main party: %s and %s", main, d.Type)
		}
		if d.Main {
			main = d.Type
		}
		h.parties[d.Name] = d
	}
	for n := range defs {
		d := &defs[n]
		if err := checkPersisted(d); err != nil {
			return err
		}
		h.info.Parties = append(h.info.Parties, link.Party{
			Name: d.Name, Type: d.Type, Hibernate: d.Hibernate,
			Main:          d.Main || len(defs) == 1,
			Requests:      d.New().Request != nil || len(d.Methods) > 0,
			Engine:        d.Engine,
			BeforeConnect: h.hook(h.app.BeforeConnect, d.Name) != nil,
			BeforeRequest: h.hook(h.app.BeforeRequest, d.Name) != nil,
		})
	}
	h.info.Fetch = h.app.Fetch != nil
	h.info.Socket = h.app.Socket != nil
	for _, c := range h.app.Crons {
		h.info.Crons = append(h.info.Crons, c.Name)
	}
	return nil
}

// hook returns the party's own before hook, else the general one, else nil.
func (h *Host) hook(hooks []BeforeHook, party string) *BeforeHook {
	var general *BeforeHook
	for n := range hooks {
		switch hooks[n].Party {
		case party:
			return &hooks[n]
		case "":
			general = &hooks[n]
		}
	}
	return general
}

// Info implements link.Host.
func (h *Host) Info() link.Info { return h.info }

// Wake implements link.Host.
func (h *Host) Wake(w link.Wake) link.Room {
	return newInstance(h, h.parties[w.Room.Party], w)
}
