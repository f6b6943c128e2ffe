package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goparty-dev/party/internal/hosting/sshtest"
)

// patience bounds every wait for a program: it may be compiling a database.
const patience = 4 * time.Minute

type programsKey struct{}

// programs are those that one script has started.
type programs struct {
	vars    []string // of the script at its start
	running map[string]*program
}

// program is a running one, with what it has printed.
type program struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has exited

	mu      sync.Mutex // guards what follows
	out     bytes.Buffer
	printed chan struct{} // closed and replaced when there is more output
}

// Write takes output.
func (p *program) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.Write(data)
	close(p.printed)
	p.printed = make(chan struct{})
	return len(data), nil
}

// await returns the first match of re in the output.
func (p *program) await(re *regexp.Regexp) (match []string, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exited := false
	for {
		p.mu.Lock()
		match, printed := re.FindStringSubmatch(p.out.String()), p.printed
		p.mu.Unlock()
		if match != nil || exited {
			return match, match != nil
		}
		select {
		case <-printed:
		case <-p.done:
			exited = true // once more: it may have printed before
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

var address = regexp.MustCompile(`https?://[\w.:\[\]-]+:\d+`)

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARG…")
	}
	all := ts.Value(programsKey{}).(*programs)
	p := &program{cmd: exec.Command(lookPath(ts, args[1]), args[2:]...), done: make(chan struct{}), printed: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	for _, v := range all.vars {
		name, _, _ := strings.Cut(v, "=")
		p.cmd.Env = append(p.cmd.Env, name+"="+ts.Getenv(name))
	}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	ts.Check(p.cmd.Start())
	go func() {
		p.cmd.Wait() // the exit code is ProcessState's
		close(p.done)
	}()
	ts.Defer(func() {
		p.cmd.Process.Kill() // it may have ended
		<-p.done
	})
	all.running[args[0]] = p
	match, ok := p.await(address)
	if !ok {
		ts.Fatalf("%s printed no address:\n%s", args[0], p.output())
	}
	ts.Setenv(args[0]+"_url", match[0])
	ts.Setenv(args[0]+"_port", match[0][strings.LastIndex(match[0], ":")+1:])
}

// lookPath finds a program as the script's exec does.
func lookPath(ts *testscript.TestScript, name string) string {
	if strings.Contains(name, "/") {
		return ts.MkAbs(name)
	}
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
			return filepath.Join(dir, name)
		}
	}
	ts.Fatalf("%s is not on the PATH", name)
	return ""
}

func started(ts *testscript.TestScript, name string) *program {
	p := ts.Value(programsKey{}).(*programs).running[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] await NAME REGEXP")
	}
	p := started(ts, args[0])
	if neg { // so far
		if match := regexp.MustCompile(args[1]).FindString(p.output()); match != "" {
			ts.Fatalf("%s has printed %q:\n%s", args[0], match, p.output())
		}
		return
	}
	if _, ok := p.await(regexp.MustCompile(args[1])); !ok {
		ts.Fatalf("%s has not printed %q:\n%s", args[0], args[1], p.output())
	}
}

func cmdTerminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminate NAME")
	}
	p := started(ts, args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		ts.Fatalf("%s does not end:\n%s", args[0], p.output())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("%s ended with %v:\n%s", args[0], p.cmd.ProcessState, p.output())
	}
}

// cmdSigkill ends a program with SIGKILL.
func cmdSigkill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sigkill NAME")
	}
	p := started(ts, args[0])
	ts.Check(p.cmd.Process.Kill())
	<-p.done
}

// cmdSSHD runs a real sshd. $NAME_address is ssh://…, $NAME_home the home folder there, $NAME_key the fingerprint of the
// server's key. HOME becomes a folder with a key that is let in.
func cmdSSHD(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sshd NAME")
	}
	// Sockets have short paths.
	dir, err := os.MkdirTemp("", "sshd")
	ts.Check(err)
	log, err := os.Create(filepath.Join(dir, "log"))
	ts.Check(err)
	srv, stop, err := sshtest.Run(dir, log)
	ts.Check(err)
	ts.Defer(func() {
		stop()
		log.Close()
		os.RemoveAll(dir)
	})
	ts.Setenv(args[0]+"_address", srv.Address)
	ts.Setenv(args[0]+"_home", srv.Home)
	ts.Setenv(args[0]+"_key", srv.Fingerprint)
	ts.Setenv("HOME", srv.ClientHome)
}

// cmdEndHost ends a detached host, which is nobody's child.
func cmdEndHost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: end-host FOLDER")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(filepath.Join(args[0], "host.pid"))))
	ts.Check(err)
	p, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(p.Signal(syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for p.Signal(syscall.Signal(0)) == nil {
		select {
		case <-ctx.Done():
			ts.Fatalf("process %d does not end", pid)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// cmdHostedPort sets $NAME_port to the port that a detached host listens on, by its log.
func cmdHostedPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hosted-port NAME LOG")
	}
	found := address.FindAllString(ts.ReadFile(args[1]), -1)
	if len(found) == 0 {
		ts.Fatalf("no address is in %s", args[1])
	}
	last := found[len(found)-1]
	ts.Setenv(args[0]+"_port", last[strings.LastIndex(last, ":")+1:])
}
