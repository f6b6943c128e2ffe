package manifest

import (
	"maps"
	"slices"
)

const allowOrigin = "Access-Control-Allow-Origin"

// cors adds the defaults to the normal form of "cors". A user who gives headers
// and no origins says with them which origins there are.
func cors(normal map[string]any) map[string]any {
	if normal["headers"] == nil {
		normal["headers"] = map[string]any{
			"Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS",
			"Access-Control-Allow-Headers": "*",
			"Access-Control-Max-Age":       "86400",
		}
		if normal["origins"] == nil {
			normal["origins"] = []any{"*"}
		}
	}
	return normal
}

// For returns the headers for an answer to a request with the given Origin
// header, in a map of the caller's. None when c is nil or when Origins is not empty and does
// not have the origin.
func (c *CORS) For(origin string) map[string]string {
	if c == nil {
		return nil
	}
	h := maps.Clone(c.Headers)
	if h == nil {
		h = make(map[string]string)
	}
	switch {
	case len(c.Origins) == 0:
	case slices.Contains(c.Origins, "*"):
		h[allowOrigin] = "*"
	case slices.Contains(c.Origins, origin):
		h[allowOrigin] = origin
		h["Vary"] = "Origin"
	default:
		// A cache must not give this answer to an origin that is allowed.
		return map[string]string{"Vary": "Origin"}
	}
	return h
}
