package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

// course follows a deploy or a rollback and remembers what there will be to tell at its end.
type course struct {
	s       *streams
	version string
	url     string
	moved   *api.Event // the last hand-over
}

func newCourse(s *streams) *course { return &course{s: s} }

// event says what happens as it happens.
func (c *course) event(e api.Event) {
	if e.Version != "" {
		c.version = e.Version
	}
	if e.URL != "" {
		c.url = e.URL
	}
	switch e.Kind {
	case api.Remark:
		c.line("note: " + e.Text)
	case api.BackedUp:
		c.line("backed up as " + e.Text)
	case api.Launching:
		c.line("starting version " + e.Version)
	case api.Migrating:
		c.line("migrating " + e.Text)
	case api.HandedOver:
		c.moved = &e
		c.line("handed over: " + kept(&e))
	case api.Healthy:
		c.line("healthy")
	case api.Probation:
		c.line(fmt.Sprintf("on probation for %s", time.Duration(e.Seconds)*time.Second))
	case api.RolledBack:
		c.line(fmt.Sprintf("version %s serves again: %s", e.Version, e.Reason))
	}
}

func (c *course) line(text string) { c.s.printf("  %s\n", strings.TrimSpace(text)) }

// kept says what a hand-over has cost: nothing but a wait.
func kept(e *api.Event) string {
	return fmt.Sprintf("%s stayed open, %s moved, events waited at most %s", plural(e.Sockets, "socket"), plural(e.Rooms, "room"), milliseconds(e.PauseMS))
}

func milliseconds(ms float64) string {
	if ms > 0 && ms < 1 {
		return "1 ms"
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// settleTime is for how long the host is asked what became of something whose stream broke, and settleWait
// how long between two questions.
const (
	settleTime = 3 * time.Minute
	settleWait = 2 * time.Second
)

// settle finds out how it ended if the connection broke before the end, and otherwise returns err.
func (c *course) settle(ctx context.Context, host *client.Client, app string, err error) error {
	if !errors.Is(err, client.ErrCut) {
		return err
	}
	c.line("the connection broke; asking what became of it")
	ctx, cancel := context.WithTimeoutCause(ctx, settleTime, errors.New("it is not known what became of it: \"party info\" tells"))
	defer cancel()
	for {
		info, err := host.Info(ctx, app)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil && info.State != api.Deploying && info.State != api.Starting {
			return c.became(&info)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(settleWait):
		}
	}
}

func (c *course) became(i *api.AppInfo) error {
	c.url = i.URL
	switch {
	case i.State != api.Running:
		return fmt.Errorf("%s is %s: %s", i.Name, i.State, i.Problem)
	case i.Version == nil || c.version != "" && i.Version.ID != c.version:
		return fmt.Errorf("version %s does not serve, but %s", c.version, versionOf(i.Version))
	}
	return nil
}

// outcome is what is told of the end, as JSON.
type outcome struct {
	App     string   `json:"app"`
	URL     string   `json:"url"`
	Version string   `json:"version"`
	Same    bool     `json:"same,omitempty"` // it served already
	Rooms   *int     `json:"rooms,omitempty"`
	Sockets *int     `json:"sockets,omitempty"`
	PauseMS *float64 `json:"pause_ms,omitempty"`
}

func (c *course) outcome(app string) outcome {
	o := outcome{App: app, URL: c.url, Version: c.version}
	if c.moved != nil {
		o.Rooms, o.Sockets, o.PauseMS = &c.moved.Rooms, &c.moved.Sockets, &c.moved.PauseMS
	}
	return o
}

// tell says how it ended.
func (c *course) tell(s *streams, what, app string) {
	s.printf("%s %s version %s: %s\n", what, app, c.version, c.url)
	if c.moved != nil {
		s.printf("%s\n", capital(kept(c.moved)))
	}
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
