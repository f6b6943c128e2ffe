package platform

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/goparty-dev/party/internal/link"
)

var engineMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"}

// engineCORS adds the headers for pages of other origins, and answers a
// preflight. It reports whether it did.
func engineCORS(w http.ResponseWriter, r *http.Request, c *link.EngineCORS) bool {
	h, origin := w.Header(), r.Header.Get("Origin")
	switch {
	case len(c.Origins) == 1 && c.Origins[0] == "*":
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		h.Add("Vary", "Origin")
		if originListed(c, origin) {
			h.Set("Access-Control-Allow-Origin", origin)
		}
	}
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
	if r.Method != http.MethodOptions {
		return false
	}
	methods := c.Methods
	if len(methods) == 0 {
		methods = engineMethods
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	if len(c.AllowedHeaders) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ","))
	} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Headers", asked)
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// originListed reports whether an origin is one that the settings name.
func originListed(c *link.EngineCORS, origin string) bool {
	if c == nil || origin == "" {
		return false
	}
	return slices.ContainsFunc(c.Origins, func(o string) bool {
		head, tail, pattern := strings.Cut(o, "*")
		if o == "*" || !pattern {
			return o == origin // "*" alone is for pages without credentials
		}
		rest, ok := strings.CutPrefix(origin, head)
		if !ok {
			return false
		}
		middle, ok := strings.CutSuffix(rest, tail)
		return ok && middle != "" && !strings.Contains(middle, "/")
	})
}
