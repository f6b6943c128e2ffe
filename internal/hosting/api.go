//go:build unix

package hosting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/access"
	"github.com/goparty-dev/party/internal/hosting/api"
)

// maxQuestion is how long a JSON body may be: variables are the longest.
const maxQuestion = 4 << 20

// call is one question to the API.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	token *api.Token
	ip    string
	name  string // of the app in the path, checked; "" if there is none
}

// handler answers a question, or returns why it does not. It has not written anything then.
type handler func(*call) error

// api returns the handler of everything below the admin host.
func (h *Host) api() http.Handler {
	mux := http.NewServeMux()
	// on answers questions of tokens that have a right in the app of the path.
	on := func(pattern string, right api.Right, do func(*call, *app) error) {
		mux.HandleFunc(pattern, h.asked(func(c *call) error {
			if err := c.may(right); err != nil {
				return err
			}
			a, err := h.app(c.name)
			if err != nil {
				return err
			}
			return do(c, a)
		}))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /v1/whoami", h.asked(h.whoami))
	mux.HandleFunc("GET /v1/tokens", h.asked(h.listTokens))
	mux.HandleFunc("POST /v1/tokens", h.asked(h.makeToken))
	mux.HandleFunc("DELETE /v1/tokens/{id}", h.asked(h.revokeToken))
	mux.HandleFunc("GET /v1/apps", h.asked(h.listApps))
	on("GET /v1/apps/{app}", api.Read, h.showApp)
	on("DELETE /v1/apps/{app}", api.Deploy, h.deleteApp)
	on("PATCH /v1/apps/{app}", api.Admin, h.changeSettings)
	mux.HandleFunc("HEAD /v1/apps/{app}/blobs/{hash}", h.asked(h.hasBlob))
	mux.HandleFunc("PUT /v1/apps/{app}/blobs/{hash}", h.asked(h.putBlob))
	mux.HandleFunc("POST /v1/apps/{app}/plan", h.asked(h.askPlan))
	mux.HandleFunc("POST /v1/apps/{app}/deploy", h.asked(h.askDeploy))
	on("POST /v1/apps/{app}/rollback", api.Deploy, h.askRollback)
	on("POST /v1/apps/{app}/restart", api.Deploy, h.askRestart)
	on("GET /v1/apps/{app}/versions", api.Read, func(c *call, a *app) error { return c.answer(a.versions(c.r.Context())) })
	on("GET /v1/apps/{app}/env", api.EnvVar, h.listEnv)
	on("GET /v1/apps/{app}/env/values", api.EnvVar, h.pullEnv)
	on("PATCH /v1/apps/{app}/env", api.EnvVar, h.changeEnv)
	on("PUT /v1/apps/{app}/env", api.EnvVar, h.changeEnv)
	on("DELETE /v1/apps/{app}/env/{name}", api.EnvVar, h.removeEnv)
	on("GET /v1/apps/{app}/domains", api.Read, h.listDomains)
	on("PUT /v1/apps/{app}/domains", api.Deploy, h.changeDomains)
	on("GET /v1/apps/{app}/logs", api.Read, h.tail)
	on("GET /v1/apps/{app}/room", api.Data, h.pullRoom)
	on("PUT /v1/apps/{app}/room", api.Data, h.pushRoom)
	on("GET /v1/apps/{app}/backups", api.Read, h.listBackups)
	on("POST /v1/apps/{app}/backups", api.Data, h.makeBackup)
	on("GET /v1/apps/{app}/backups/{id}", api.Data, h.getBackup)
	on("DELETE /v1/apps/{app}/backups/{id}", api.Admin, h.deleteBackup)
	on("POST /v1/apps/{app}/backups/{id}/restore", api.Admin, h.askRestore)
	mux.HandleFunc("/", h.asked(func(c *call) error {
		return problem(api.CodeNotFound, fmt.Sprintf("there is nothing at %s %s", c.r.Method, c.r.URL.Path), "is the client newer than the host?")
	}))
	return mux
}

// asked checks who asks, and answers with what went wrong.
func (h *Host) asked(do handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c := &call{w: w, r: r, ip: clientIP(r)}
		err := h.admit(c)
		if err == nil {
			err = do(c)
		}
		if err != nil {
			h.refuse(c, err)
		}
	}
}

// admit finds out whose token it is.
func (h *Host) admit(c *call) error {
	// A browser is never a client: whatever page it shows, what it could send along is not of that page's making.
	if c.r.Header.Get("Origin") != "" || c.r.Header.Get("Sec-Fetch-Site") != "" {
		return problem(api.CodeForbidden, "this is for programs, and not for pages in browsers", "")
	}
	key := access.AddressKey(c.ip)
	if wait, blocked := h.attempts.Blocked(key); blocked {
		return tooMany(c, "too many wrong tokens have come from this address", wait)
	}
	scheme, secret, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	err := access.ErrUnknown
	if strings.EqualFold(scheme, "Bearer") {
		c.token, err = h.tokens.Check(strings.TrimSpace(secret))
	}
	switch {
	case errors.Is(err, access.ErrUnknown):
		h.attempts.Take(key)
		c.w.Header().Set("WWW-Authenticate", "Bearer")
		return problem(api.CodeUnauthorized, err.Error(), `log in with a token of this host: "party host token new" makes one`)
	case err != nil:
		return err
	}
	if name := c.r.PathValue("app"); name != "" {
		if err := api.CheckInstance(name); err != nil {
			return problem(api.CodeBadName, err.Error(), "")
		}
		c.name = name
	}
	return nil
}

// may refuses tokens that do not have a right in the app of the path, whether or not it is there.
func (c *call) may(right api.Right) error {
	if c.token.Allows(right, c.name) {
		return nil
	}
	return problem(api.CodeForbidden, fmt.Sprintf("the token %q may not %s %s", c.token.Name, right, c.name), "ask for one with that right for this app")
}

// everywhere refuses tokens that do not have a right in all apps.
func (c *call) everywhere(right api.Right) error {
	if c.token.Everywhere(right) {
		return nil
	}
	return problem(api.CodeForbidden, fmt.Sprintf("the token %q is not one for %s of all apps", c.token.Name, right), "")
}

func tooMany(c *call, text string, wait time.Duration) error {
	seconds := int(math.Ceil(wait.Seconds()))
	c.w.Header().Set("Retry-After", strconv.Itoa(max(seconds, 1)))
	return problem(api.CodeTooMany, text, fmt.Sprintf("wait %d seconds", seconds))
}

// refuse answers with a failure. What is not meant for clients goes to the log.
func (h *Host) refuse(c *call, err error) {
	p := asProblem(err)
	if p.Code == api.CodeInternal {
		h.log.Error("api", "path", c.r.URL.Path, "err", err)
	}
	c.w.Header().Set("Content-Type", api.JSONType)
	c.w.WriteHeader(p.Status)
	if c.r.Method != http.MethodHead {
		_ = json.NewEncoder(c.w).Encode(api.Failure{Problem: *p}) // if it fails, whoever asked has gone
	}
}

// asProblem is an error as clients see it.
func asProblem(err error) *api.Problem {
	if p := (*api.Problem)(nil); errors.As(err, &p) {
		return p
	}
	if errors.Is(err, errStopped) || errors.Is(err, context.Canceled) {
		return problem(api.CodeUnavailable, errStopped.Error(), "try again when it is back")
	}
	return problem(api.CodeInternal, err.Error(), "the log of the host may say more")
}

// answer writes a value.
func (c *call) answer(v any) error {
	c.w.Header().Set("Content-Type", api.JSONType)
	_ = json.NewEncoder(c.w).Encode(v) // if it fails, whoever asked has gone
	return nil
}

// question reads the body into v.
func (c *call) question(v any) error {
	body := http.MaxBytesReader(c.w, c.r.Body, maxQuestion)
	data, err := io.ReadAll(body)
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return problem(api.CodeTooLarge, fmt.Sprintf("the question is larger than %d bytes", maxQuestion), "")
	}
	if err != nil {
		return problem(api.CodeBadRequest, "the question ends too early", "")
	}
	if len(data) == 0 {
		data = []byte("{}")
	}
	if err := json.Unmarshal(data, v); err != nil {
		// Without what was read: it may be a secret.
		return problem(api.CodeBadRequest, "the question is not the JSON that belongs here", "is the client newer than the host?")
	}
	return nil
}
