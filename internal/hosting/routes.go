//go:build unix

package hosting

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// hostName is the name in a Host header: lower case, without port, brackets and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isAdmin reports whether a host name is that of the API. An app's name never is.
func (h *Host) isAdmin(name string) bool {
	if h.opts.AdminHost != "" {
		return name == h.opts.AdminHost
	}
	// Only with plain HTTP. A name that others can make point here is none: a page there would be of one origin with the API.
	return name == localhost || net.ParseIP(name) != nil
}

// ownName is the host name that the host gives to an app; "" if it gives none.
func (h *Host) ownName(app string) string {
	if h.opts.Domain == "" {
		return ""
	}
	return app + "." + h.opts.Domain
}

// route brings the table of host names up to date.
func (h *Host) route() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.domains)
	for name, a := range h.apps {
		for _, d := range a.record().Domains {
			h.domains[d] = a
		}
		if own := h.ownName(name); own != "" {
			h.domains[own] = a
		}
	}
}

// lookUp returns the app with a host name, or nil.
func (h *Host) lookUp(name string) *app {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.domains[name]
}

// maxDomains is how many host names of its own an app has at most.
const maxDomains = 50

// checkDomains says why an app, which need not exist, cannot have host names.
func (h *Host) checkDomains(app string, domains []string) error {
	if len(domains) > maxDomains {
		return problem(api.CodeBadRequest, fmt.Sprintf("there are %d domains: want at most %d", len(domains), maxDomains), "")
	}
	for _, d := range domains {
		if err := api.CheckDomain(d); err != nil {
			return problem(api.CodeBadName, err.Error(), "")
		}
		if d == h.opts.AdminHost {
			return problem(api.CodeConflict, fmt.Sprintf("domain %q is the host's own", d), "")
		}
		if h.opts.Domain != "" && (d == h.opts.Domain || strings.HasSuffix(d, "."+h.opts.Domain)) {
			return problem(api.CodeConflict, fmt.Sprintf("domain %q is below the host's: every app has a name there already", d), "")
		}
		if other := h.lookUp(d); other != nil && other.name != app {
			return problem(api.CodeConflict, fmt.Sprintf("domain %q is another app's", d), "")
		}
	}
	return nil
}

// setDomains gives an app its host names.
func (a *app) setDomains(domains []string) error {
	// One at a time, so that no two apps get a name.
	a.host.naming.Lock()
	defer a.host.naming.Unlock()
	if err := a.host.checkDomains(a.name, domains); err != nil {
		return err
	}
	domains = slices.Clone(domains)
	slices.Sort(domains)
	err := a.change(func(r *record) error {
		r.Domains = slices.Compact(domains)
		return nil
	})
	a.host.route()
	return err
}

// url is where clients find an app.
func (h *Host) url(app string, domains []string) string {
	name := h.ownName(app)
	if len(domains) > 0 {
		name = domains[0]
	}
	if name == "" {
		return ""
	}
	scheme, usual := "https", "443"
	if h.mode == plainHTTP {
		scheme, usual = "http", "80"
	}
	if port := h.port(); port != usual {
		name = net.JoinHostPort(name, port)
	}
	return scheme + "://" + name
}
