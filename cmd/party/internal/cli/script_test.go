package cli

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goparty-dev/party/internal/hosting/sshtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"party": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script. Besides the usual commands there are
//
//	exits CODE PROGRAM ARG…  exec that must end with this exit code
//	start NAME PROGRAM ARG…  run a program until the script ends; $NAME_url is the
//	                         address that it prints first, and $NAME_port its port
//	await NAME REGEXP        wait until the program has printed that
//	terminate NAME           SIGTERM; it must exit with 0
//	sigkill NAME             end it so
//	request METHOD URL [BODY] the answer's status and body are the script's stdout
//	socket URL TEXT REGEXP   send TEXT, wait for a message that matches
//	hold NAME URL            open a socket that stays open
//	say NAME TEXT REGEXP     the same as socket, on one that is held
//	sshd NAME                run a real sshd; see cmdSSHD. [sshd] says whether there is one
//	end-host FOLDER          end what party deploy --target has started
//	hosted-port NAME LOG     $NAME_port is the port in its log
//	edit FILE OLD NEW        replace what is in the file once
//	scripted-host NAME FILE  a host that answers as the file says; $NAME_url is its address
//	asked NAME               what it was asked since the last time is the script's stdout
//	occupy NAME              $NAME is a port that is taken while the script runs
//	registry NAME            $NAME is the address of a registry of images
func TestScripts(t *testing.T) {
	goEnv := goEnvironment(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "start": cmdStart, "await": cmdAwait, "terminate": cmdTerminate, "sigkill": cmdSigkill,
			"request": cmdRequest, "socket": cmdSocket, "occupy": cmdOccupy, "scripted-host": cmdScriptedHost, "asked": cmdAsked,
			"hold": cmdHold, "say": cmdSay, "edit": cmdEdit, "sshd": cmdSSHD, "end-host": cmdEndHost, "hosted-port": cmdHostedPort,
			"registry": cmdRegistry,
		},
		Condition: func(cond string) (bool, error) {
			if cond != "sshd" {
				return false, fmt.Errorf("no condition %q is known", cond)
			}
			return sshtest.Skip() == "", nil
		},
		Setup: func(env *testscript.Env) error {
			checkout, err := filepath.Abs(filepath.Join("..", "..", "..", ".."))
			if err != nil {
				return err
			}
			// Programs are built with the caches of whoever runs the test, and without network.
			env.Vars = append(env.Vars, goEnv...)
			// A script may change these for programs that it starts, too.
			env.Vars = append(env.Vars, "PARTY_HOST=", "PARTY_TOKEN=", "XDG_CONFIG_HOME="+filepath.Join(env.WorkDir, "config"))
			env.Setenv("CHECKOUT", checkout)
			env.Values[programsKey{}] = &programs{vars: env.Vars, running: make(map[string]*program)}
			env.Values[hostsKey{}] = make(map[string]*scriptedHost)
			env.Values[socketsKey{}] = make(map[string]*websocket.Conn)
			return nil
		},
	})
}

// goEnvironment keeps the go command usable where HOME is somewhere else.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	vars := []string{"GOPROXY=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "PARTY_CHECKOUT="}
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		vars = append(vars, names[i]+"="+value)
	}
	return vars
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy NAME")
	}
	// On every address, so that it is taken on whichever loopback is asked for.
	l, err := net.Listen("tcp", ":0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: registry NAME")
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.Listener.Addr().String())
	ts.Setenv("DOCKER_CONFIG", ts.MkAbs("."))
}
