//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// server is one of those that are compared.
type server struct {
	name    string
	command []string
}

// node is the same application for Node's server.
const node = `const { Server } = require("socket.io");
const http = require("http").createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("echo", (arg, ack) => ack(arg));
  socket.on("fan", (...args) => socket.broadcast.emit("fan", ...args));
});
http.listen(0, "127.0.0.1", () => console.log("ready on http://127.0.0.1:" + http.address().port));
`

// prepare builds ours and writes Node's. The working directory is the module's root.
func prepare() ([]server, func(), error) {
	dir, err := os.MkdirTemp("", "party-socketio-bench-")
	if err != nil {
		return nil, nil, err
	}
	cleanup := func() { os.RemoveAll(dir) }
	bin := filepath.Join(dir, "testapp")
	build := exec.Command("go", "build", "-o", bin, "./runtime/socketio/testapp")
	build.Stderr = os.Stderr
	// A name in e2e's folder of packages, so that require finds socket.io.
	script := filepath.Join("e2e", "node_modules", ".party-socketio-bench.cjs")
	err = errors.Join(build.Run(), os.WriteFile(script, []byte(node), 0o600))
	if err != nil {
		cleanup()
		return nil, nil, fmt.Errorf("prepare in the root of the module, with e2e installed: %w", err)
	}
	all := func() {
		cleanup()
		os.Remove(script)
	}
	return []server{
		{"party", []string{bin, "--addr", "127.0.0.1:0", "--profile", "load"}},
		{"Node", []string{"node", script}},
	}, all, nil
}

// running is a server's process.
type running struct {
	cmd  *exec.Cmd
	addr netip.AddrPort
}

func start(s server) (*running, error) {
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{cmd: cmd}
	if err := pin(cmd.Process.Pid, 0); err != nil {
		r.stop()
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, addr, _ := strings.Cut(line, "http://")
	addr, _, _ = strings.Cut(strings.TrimSpace(addr), ",")
	if err == nil {
		r.addr, err = netip.ParseAddrPort(addr)
	}
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("wait for the server: %q: %w", line, err)
	}
	return r, nil
}

func (r *running) stop() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}

// cpu is the processor time that the server has used.
func (r *running) cpu() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// pin binds all threads of a process to one CPU, and those that they start.
func pin(pid, cpu int) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	mask := uint64(1) << cpu
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
		if errno != 0 && errno != syscall.ESRCH {
			return fmt.Errorf("pin process %d to CPU %d: %w", pid, cpu, errno)
		}
	}
	return nil
}
