//go:build unix

package hosting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/child"
)

// Bounds on the processes of apps.
const (
	drainTime   = 25 * time.Second // to end in good order; an app gives its rooms 20 s
	lookEvery   = 20 * time.Millisecond
	lookTime    = 5 * time.Second // for an answer of an app that runs
	maxAnswer   = 4 << 20         // bytes of an answer of an app, or of what a command of it prints
	commandTime = 2 * time.Minute // for a command of an app, unless it moves data
)

// environment is what an app's processes see; none of it is secret. The app's variables are in its .env file.
func (p place) environment(memory int64) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"HOME=" + p.home(), "TMPDIR=" + p.tmp(),
	}
	if memory > 0 {
		// The collector works harder from nine tenths on; the system ends what goes over the limit.
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(memory/10*9, 10))
	}
	return env
}

// start starts a version of an app as a server.
func (a *app) start(hash string) (*child.Child, error) {
	p, s := a.place, a.settings()
	// Sockets that a killed process has left are nobody's.
	if err := os.RemoveAll(p.sockets()); err != nil {
		return nil, err
	}
	if err := a.user.folder(p.sockets()); err != nil {
		return nil, err
	}
	if err := a.writeDotEnv(); err != nil {
		return nil, err
	}
	words, err := limit(*s.Memory, *s.OpenFiles, p.blob(hash), "serve", "--upgradable", "--addr", "unix:"+p.socket(), "--admin", "unix:"+p.adminSocket(),
		"--data", p.store(), "--trust-proxy", "--log-format", "json", "--probation", a.probation().String())
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", a.name, err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.run, p.environment(*s.Memory), a.user.attributes()
	out := &lines{each: a.printed}
	cmd.Stdout, cmd.Stderr = out, out
	c, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", a.name, err)
	}
	return c, nil
}

// ready waits until an app that was started can serve.
func (a *app) ready(ctx context.Context, c *child.Child) error {
	limited, cancel := context.WithTimeoutCause(ctx, a.host.opts.StartTime, fmt.Errorf("it is not ready within %v", a.host.opts.StartTime))
	defer cancel()
	for {
		status, _, err := a.get(limited, a.place.adminSocket(), "/readyz")
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-c.Exited():
			return fmt.Errorf("%s before it was ready%s", c.How(), a.lastWords())
		case <-limited.Done():
			return context.Cause(limited)
		case <-time.After(lookEvery):
		}
	}
}

// get asks an app on a socket of its own. What it answers is not to be trusted.
func (a *app) get(ctx context.Context, socket, path string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	resp, err := a.ask(ctx, socket, http.MethodGet, path)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, body, err
}

func (a *app) ask(ctx context.Context, socket, method, path string) (*http.Response, error) {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://app"+path, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

// command runs a command of a program as a user, and returns what it printed. The error has what it said.
func (p place) command(ctx context.Context, u user, binary string, stdin io.Reader, stdout io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.run, p.environment(0), u.attributes()
	said := &capped{most: 4 << 10}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, said
	c, err := child.Start(cmd)
	if err != nil {
		return fmt.Errorf("run it: %w", err)
	}
	select {
	case <-c.Exited():
	case <-ctx.Done():
		c.Kill()
		return fmt.Errorf("its command %q takes too long: %w", args[0], ctx.Err())
	}
	if how := c.How(); c.State() == nil || !c.State().Success() {
		return &commandError{args[0], how, string(bytes.TrimSpace(said.data)), exitCode(c)}
	}
	return nil
}

func exitCode(c *child.Child) int {
	if c.State() == nil {
		return -1
	}
	return c.State().ExitCode()
}

// commandError is a command of an app that did not do what it should.
type commandError struct {
	command, how, said string
	code               int
}

func (e *commandError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("its command %q: %s", e.command, e.how)
	}
	return fmt.Sprintf("its command %q: %s, and said: %s", e.command, e.how, e.said)
}

// capped keeps the beginning of what is written.
type capped struct {
	most int
	data []byte
}

func (c *capped) Write(b []byte) (int, error) {
	c.data = append(c.data, b[:min(len(b), c.most-len(c.data))]...)
	return len(b), nil
}

// lines gives what is written on, a line at a time.
type lines struct {
	each func(string)

	mu   sync.Mutex // guards what follows
	rest []byte
}

// maxLine is how long a line may be; the rest is the next one.
const maxLine = 64 << 10

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		at := bytes.IndexByte(l.rest, '\n')
		if at < 0 && len(l.rest) < maxLine {
			return len(b), nil
		}
		line := l.rest[:min(max(at, 0), maxLine)]
		next := at + 1
		if at < 0 || at > maxLine {
			line, next = l.rest[:maxLine], maxLine
		}
		if text := string(bytes.TrimSuffix(line, []byte("\r"))); text != "" {
			l.each(text)
		}
		l.rest = append(l.rest[:0], l.rest[next:]...)
	}
}

// errStopped says that the host ends.
var errStopped = errors.New("the host is shutting down")
