//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/bench/internal/probe"
)

// program is one of the servers, built.
type program struct {
	name, path string
	flags      []string
}

// build builds a command of this module, as party build builds servers.
func build(ctx context.Context, dir, name, pkg string) (program, error) {
	p := program{name: name, path: filepath.Join(dir, name)}
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", p.path, "github.com/goparty-dev/party/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return p, nil
}

// process is a running server.
type process struct {
	cmd    *exec.Cmd
	addr   netip.AddrPort
	stderr bytes.Buffer // read after the end only
}

// startTimeout bounds how long a server may take to listen.
const startTimeout = 20 * time.Second

// start runs a server, pinned, with a data folder of its own.
func (b *bench) start(ctx context.Context, prog program, manifest string) (*process, error) {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, prog.path, append([]string{"--addr", "127.0.0.1:0", "--data", data}, prog.flags...)...)}
	p.cmd.Dir = data
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "BENCH_MANIFEST="+manifest)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startPinned(p.cmd, b.cpus.server); err != nil {
		return nil, fmt.Errorf("start %s: %w", prog.name, err)
	}
	late := time.AfterFunc(startTimeout, func() { p.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	late.Stop()
	if err == nil {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "http://")
		p.addr, err = netip.ParseAddrPort(text)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: it says %q: %w", prog.name, line, err), p.stop())
	}
	go io.Copy(io.Discard, out) // ends with the process
	return p, nil
}

// startPinned starts a process on one CPU: a child inherits the affinity of the thread that makes it.
func startPinned(cmd *exec.Cmd, cpu int) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := affinity(0)
	if err != nil {
		return err
	}
	if err := setAffinity(0, single(cpu)); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), setAffinity(0, before))
}

// stop kills the server. It is an error if it has ended by itself before.
func (p *process) stop() error {
	killed := p.cmd.Process.Kill()
	p.cmd.Wait() // says that it was killed
	if killed != nil {
		return fmt.Errorf("server has ended: %w\n%s", killed, p.stderr.Bytes())
	}
	return nil
}

// tick is the unit of CPU times in /proc on Linux, on every architecture that Go knows.
const tick = time.Second / 100

// cpu returns the CPU time that the server has used, user and system, with its host if that is another process.
func (p *process) cpu() (time.Duration, error) { return family(p.cmd.Process.Pid) }

// cpuTime reads utime and stime from a line of /proc/PID/stat.
func cpuTime(stat string) (time.Duration, error) {
	// The second field is the program's name in parentheses and may contain anything.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("CPU time not found in %q", stat)
	}
	sum := time.Duration(0)
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time in %q: %w", stat, err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// resident returns the bytes of memory that the server occupies.
func (p *process) resident() (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0, fmt.Errorf("resident pages not found in %q", statm)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// ask asks the server's probe.
func (p *process) ask(name string) ([]byte, error) {
	resp, err := http.Get("http://" + p.addr.String() + probe.Path + name)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode > 299 {
		err = fmt.Errorf("probe %s: %s: %s", name, resp.Status, answer)
	}
	return answer, err
}

// save puts an answer of the server's probe into a file.
func (p *process) save(name, file string) error {
	answer, err := p.ask(name)
	if err != nil {
		return err
	}
	return os.WriteFile(file, answer, 0o644)
}

// collect makes the server collect its garbage and tells what is left.
func (p *process) collect() (probe.Memory, error) {
	var m probe.Memory
	answer, err := p.ask("memory")
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(answer, &m)
}
