//go:build unix

package hostproc

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The test binary is the host program as well: this variable says what it does.
const act = "PARTY_TEST_ACT"

func TestMain(m *testing.M) {
	switch os.Getenv(act) {
	case "":
		os.Exit(m.Run())
	case "echo":
		fmt.Println("on stdout")
		fmt.Fprint(os.Stderr, "on stderr, without an end")
		serve()
	case "exit":
		os.Exit(3)
	case "panic":
		fmt.Fprintln(os.Stderr, "panic: only printed")
		explode()
	case "deaf": // does not care for the end of the link, and has a child
		child := exec.Command("sleep", "600")
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println(child.Process.Pid)
		select {}
	case "orphan": // leaves a child behind
		child := exec.Command("sleep", "600")
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println(child.Process.Pid)
	case "parent": // is killed itself and must take its host with it
		opts := options("deaf")
		opts.Stdout = func(line string) { fmt.Println(line) }
		p, err := Start(opts)
		if err != nil {
			panic(err)
		}
		fmt.Println("host", p.PID())
		select {}
	}
}

func explode() { panic("boom") }

// serve answers lines until the link is closed.
func serve() {
	fd, err := strconv.Atoi(os.Getenv(EnvFD))
	if err != nil {
		panic(err)
	}
	conn, err := net.FileConn(os.NewFile(uintptr(fd), "link"))
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(conn, conn)
}

func options(what string) Options {
	_, file, _, _ := runtime.Caller(0)
	env := []string{act + "=" + what}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, act+"=") {
			env = append(env, e)
		}
	}
	return Options{Binary: os.Args[0], Env: env, Source: filepath.Dir(file)}
}

// recorder collects lines from several goroutines.
type recorder struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1000)} }

func (r *recorder) add(line string) {
	r.mu.Lock()
	r.lines = append(r.lines, line)
	r.mu.Unlock()
	r.more <- struct{}{}
}

func (r *recorder) first(t *testing.T) string {
	t.Helper()
	select {
	case <-r.more:
	case <-time.After(60 * time.Second):
		t.Fatal("the host printed nothing")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[0]
}

func start(t *testing.T, opts Options) *Process {
	t.Helper()
	p, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func waitExit(t *testing.T, p *Process) Reason {
	t.Helper()
	select {
	case <-p.Exited():
	case <-time.After(60 * time.Second):
		t.Fatal("the host does not end")
	}
	return p.Reason()
}

// waitGone waits for the end of a process that is not our child.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		if syscall.Kill(pid, 0) != nil || err == nil && strings.HasPrefix(rest, "Z") {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("process %d lives on", pid)
		}
	}
}

func TestAHostIsJoinedAndEndsWithItsLink(t *testing.T) {
	out, errOut := newRecorder(), newRecorder()
	opts := options("echo")
	opts.Stdout, opts.Stderr = out.add, errOut.add
	p := start(t, opts)
	if _, err := fmt.Fprintln(p.Conn(), "hello"); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(p.Conn()).ReadString('\n')
	if err != nil || got != "hello\n" {
		t.Fatalf("read %q, %v", got, err)
	}
	if err := p.Conn().Close(); err != nil {
		t.Fatal(err)
	}
	r := waitExit(t, p)
	if r.Summary != "exited with status 0" || r.Panic != "" {
		t.Errorf("reason %+v, want status 0", r)
	}
	if diff := cmp.Diff(out.lines, []string{"on stdout"}); diff != "" {
		t.Errorf("stdout (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(errOut.lines, []string{"on stderr, without an end"}); diff != "" {
		t.Errorf("stderr (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(r.Log, errOut.lines); diff != "" {
		t.Errorf("log (-got +want):\n%s", diff)
	}
}

func TestOutputGoesOnAsItIs(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	opts := options("echo")
	opts.Output = f
	opts.Stderr = func(line string) { t.Errorf("got line %q beside the file", line) }
	p := start(t, opts)
	p.Conn().Close()
	r := waitExit(t, p)
	data, err := os.ReadFile(f.Name())
	if got := string(data); err != nil || got != "on stdout\non stderr, without an end" {
		t.Errorf("the file has %q, %v", got, err)
	}
	if got := r.String(); got != "exited with status 0, and said:\non stderr, without an end" {
		t.Errorf("the reason is %q", got)
	}
}

func TestReasons(t *testing.T) {
	r := waitExit(t, start(t, options("exit")))
	if r.Summary != "exited with status 3" || r.Panic != "" || r.Uptime <= 0 {
		t.Errorf("exit: got %+v", r)
	}
	r = waitExit(t, start(t, options("panic")))
	if r.Summary != "exited with status 2" || r.Panic != "panic: boom" || filepath.Base(r.Pos.File) != "process_test.go" ||
		r.Pos.Line == 0 || !strings.HasSuffix(r.Func, ".explode") {
		t.Errorf("panic: got %+v", r)
	}
	p := start(t, options("deaf"))
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r = waitExit(t, p); r.Summary != "was killed by signal 9 (killed)" {
		t.Errorf("kill: got %+v", r)
	}
	if _, err := Start(Options{Binary: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a binary that is not there: no error")
	}
}

func TestADeafHostIsKilledWithItsGroup(t *testing.T) {
	out := newRecorder()
	opts := options("deaf")
	opts.Stdout = out.add
	p := start(t, opts)
	child, err := strconv.Atoi(out.first(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Conn().Close(); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	waitExit(t, p)
	waitGone(t, child)
}

func TestChildrenDoNotOutliveTheirHost(t *testing.T) {
	out := newRecorder()
	opts := options("orphan")
	opts.Stdout = out.add
	p := start(t, opts)
	child, err := strconv.Atoi(out.first(t))
	if err != nil {
		t.Fatal(err)
	}
	waitExit(t, p)
	waitGone(t, child)
}

func TestAHostDiesWithTheDevServer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("elsewhere the host has to notice the end of the link")
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = options("parent").Env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host, child := 0, 0
	for s := bufio.NewScanner(out); (host == 0 || child == 0) && s.Scan(); {
		if pid, ok := strings.CutPrefix(s.Text(), "host "); ok {
			host, err = strconv.Atoi(pid)
		} else {
			child, err = strconv.Atoi(s.Text())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waitGone(t, host)
	_ = syscall.Kill(child, syscall.SIGKILL) // nobody is left to do it
	_ = cmd.Wait()
}
