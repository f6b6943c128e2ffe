//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/child"
	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/journal"
	"github.com/goparty-dev/party/internal/hosting/vault"
	"github.com/goparty-dev/party/internal/manifest"
)

// app is one app of a host. Its methods are safe for concurrent use.
type app struct {
	// set before it runs, then read-only
	host      *Host
	name      string
	place     place
	user      user
	log       *journal.Journal
	transport *http.Transport
	counts    counts
	end       context.CancelFunc
	ended     chan struct{} // closed when nothing of it runs any more

	// busy is held by whoever changes what the app is: a deploy, a rollback, a restore, its end.
	busy chan struct{}

	mu       sync.Mutex // guards what follows
	rec      *record    // replaced, never changed
	aim      aim
	aimed    chan struct{} // closed and replaced with each aim
	state    api.State
	turned   chan struct{} // closed and replaced with each state
	deploys  bool
	problem  string
	retryAt  time.Time
	child    *child.Child // while there is one
	started  time.Time
	restarts int
	words    []string // last lines that it has printed
}

// aim is what an app should be doing.
type aim struct {
	hash  string     // of the program to run; empty: none
	first chan error // gets what came of the first try; buffered
}

// maxWords is how many lines of an app are kept for the reason of its end.
const maxWords = 10

// printed takes a line that the app has printed.
func (a *app) printed(text string) {
	l := journal.Parse(text)
	word := l.Message
	if why, ok := l.Fields["err"].(string); ok {
		word += ": " + why
	}
	a.mu.Lock()
	a.words = append(a.words, word)
	if n := len(a.words) - maxWords; n > 0 {
		a.words = append(a.words[:0], a.words[n:]...)
	}
	a.mu.Unlock()
	a.log.Add(l)
}

// lastWords is what an app has said before its end, as the end of a sentence.
func (a *app) lastWords() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.words) == 0 {
		return ""
	}
	text := strings.Join(a.words, "\n")
	return ", and said:\n" + strings.ToValidUTF8(text[max(0, len(text)-2<<10):], "")
}

// say adds a line of the host to the app's log.
func (a *app) say(level, text string) {
	l := api.LogLine{Kind: api.KindHost, Level: level, Message: text}
	if level == "error" {
		l.Outcome = api.Err
	}
	a.log.Add(l)
	a.host.log.Info(text, "app", a.name)
}

// record is what is kept of the app. It must not be changed.
func (a *app) record() *record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rec
}

// change changes what is kept, durably.
func (a *app) change(do func(*record) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.rec.clone()
	if err := do(r); err != nil {
		return err
	}
	if err := r.save(a.place.record()); err != nil {
		return err
	}
	a.rec = r
	return nil
}

// take makes the caller the only one that changes what the app is.
func (a *app) take() error {
	select {
	case a.busy <- struct{}{}:
		return nil
	default:
		return problem(api.CodeConflict, fmt.Sprintf("%s is being changed by somebody else", a.name), "try again when that is done")
	}
}

func (a *app) give() { <-a.busy }

// vars are the app's variables.
func (a *app) vars() (map[string]string, error) {
	sealed, err := os.ReadFile(a.place.vars())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the variables of %s: %w", a.name, err)
	}
	return a.host.vault.Open(a.name, sealed)
}

// setVars replaces them. The rooms see them when their host process is started the next time.
func (a *app) setVars(vars map[string]string) error {
	if err := vault.Check(vars); err != nil {
		return problem(api.CodeBadRequest, err.Error(), "")
	}
	sealed, err := a.host.vault.Seal(a.name, vars)
	if err == nil {
		err = durable.WriteFile(a.place.vars(), sealed, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the variables of %s: %w", a.name, err)
	}
	return a.change(func(r *record) error {
		r.EnvChanged = r.Version != ""
		return nil
	})
}

// writeDotEnv writes the variables down for the app, which reads them whenever it starts a host process.
func (a *app) writeDotEnv() error {
	vars, err := a.vars()
	if err != nil {
		return err
	}
	path := a.place.dotenv()
	if err := durable.WriteFile(path, manifest.FormatEnv(vars), 0o600); err != nil {
		return fmt.Errorf("give %s its variables: %w", a.name, err)
	}
	if a.user.id == 0 {
		return nil
	}
	if err := os.Lchown(path, 0, a.user.id); err != nil {
		return fmt.Errorf("give %s its variables: %w", a.name, err)
	}
	return os.Chmod(path, 0o640)
}

// status is where an app is at the moment.
type status struct {
	state   api.State
	problem string
	retryAt time.Time
	started time.Time
	pid     int
	starts  int
	turned  <-chan struct{} // closed when it changes
}

func (a *app) status() status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := status{state: a.state, problem: a.problem, retryAt: a.retryAt, started: a.started, starts: a.restarts, turned: a.turned}
	if a.child != nil {
		s.pid = a.child.PID
	}
	if a.deploys && s.state == api.Running {
		s.state = api.Deploying
	}
	return s
}

// turn changes the state.
func (a *app) turn(s api.State, problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state, a.problem = s, problem
	close(a.turned)
	a.turned = make(chan struct{})
}
