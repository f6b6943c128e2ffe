//go:build unix

package hosting

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func TestTwoAppsByHostName(t *testing.T) {
	s := newSite(t)
	s.deploy("one", "v1")
	s.deploy("two", "v2")
	a, b := s.dial("one.apps.test", "/parties/tally/room"), s.dial("two.apps.test", "/parties/tally/room")
	a.talk("a", "1 v1 a")
	b.talk("b", "1 v2 b") // the room has the same name and is another one
	s.says("one.apps.test", "/parties/tally/room?count", "1 <nil>")
	for _, name := range []string{"three.apps.test", "apps.test", "one.example.com", "one", "one.apps.test.evil.com"} {
		if r := s.visit(name, "/parties/tally/room"); r.status != http.StatusNotFound || !bytes.Contains(r.body, []byte("no app")) {
			t.Errorf("the host name %q: got %d %q", name, r.status, r.body)
		}
	}
	// An app that crashes takes nobody along.
	pid := s.app("one").status().pid
	if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
		t.Fatal("the app cannot be killed")
	}
	b.talk("c", "2 v2 c")
	s.await("the app is there again", func() bool {
		return s.app("one").status().starts > 0 && s.visit("one.apps.test", "/parties/tally/x").status == http.StatusOK
	})
	s.says("one.apps.test", "/parties/tally/room?count", "1 <nil>")
}

func TestAppsRunAsUsersOfTheirOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can act for other users")
	}
	s := newSite(t)
	s.deploy("one", "v1")
	s.deploy("two", "v1")
	one, two := s.app("one"), s.app("two")
	if one.user.id == two.user.id || one.user.id < DefaultFirstUser {
		t.Fatalf("the apps run as %d and %d", one.user.id, two.user.id)
	}
	s.dial("two.apps.test", "/parties/tally/room").talk("a", "1 v1 a")
	s.want(200, "PATCH", api.AppPath("two", api.EnvPath), api.Env{Vars: map[string]string{"A": "1"}}, nil)
	s.want(200, "POST", api.AppPath("two", api.BackupsPath), nil, nil)
	if r := s.visit("one.apps.test", "/parties/tally/x?uid"); string(r.body) == "0" || string(r.body) == string(s.visit("two.apps.test", "/parties/tally/x?uid").body) {
		t.Errorf("the app runs as user %s", r.body)
	}
	// Nothing that is another app's or the host's can be read; what is below a folder that cannot be entered cannot either.
	var tried int
	for _, root := range []string{two.place.dir, two.place.own, two.place.run, s.host.layout.tokens(), s.host.layout.key(), one.place.record(), one.place.vars(), one.place.logs(), s.host.layout.deleted()} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() || d.Type()&fs.ModeSocket != 0 {
				return err
			}
			tried++
			if r := s.visit("one.apps.test", "/parties/tally/x?read="+path); !strings.HasPrefix(string(r.body), "true ") {
				t.Errorf("the app one reads %s: %s", path, r.body)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if tried < 10 {
		t.Errorf("only %d files were tried", tried)
	}
	// Its own variables it can read.
	if r := s.visit("one.apps.test", "/parties/tally/x?read="+one.place.dotenv()); string(r.body) != "false <nil>" {
		t.Errorf("the app cannot read its variables: %s", r.body)
	}
}

// TestVariablesAreSecret looks for a value everywhere.
func TestVariablesAreSecret(t *testing.T) {
	secret := "hush-" + rand.Text() // else it would be in the program
	s := newSite(t)
	s.deploy("chat", "v1", func(q *api.DeployRequest) { q.Vars = map[string]string{"TOKEN": secret} })
	s.deploy("chat", "v2")
	s.says("chat.apps.test", "/parties/tally/x?var=TOKEN", secret)
	for _, path := range []string{api.AppPath("chat", ""), api.AppPath("chat", api.EnvPath), api.AppsPath, api.AppPath("chat", api.VersionsPath), api.AppPath("chat", api.LogsPath) + "?lines=1000"} {
		if r := s.ask(s.token, "GET", path, nil); r.status != 200 || bytes.Contains(r.body, []byte(secret)) {
			t.Errorf("GET %s: %d %s", path, r.status, r.body)
		}
	}
	q := api.DeployRequest{Binary: s.put("chat", "v3"), Vars: map[string]string{"TOKEN": secret + "2"}}
	if r := s.ask(s.token, "POST", api.AppPath("chat", api.PlanPath), q); r.status != 200 || bytes.Contains(r.body, []byte(secret)) || !bytes.Contains(r.body, []byte("TOKEN")) {
		t.Errorf("the plan: %d %s", r.status, r.body)
	}
	s.ask(s.token, "PATCH", api.AppPath("chat", api.EnvPath), `{"vars": {"TOKEN": "`+secret+`" oops`).failure(t, "half a question", api.CodeBadRequest)
	if strings.Contains(s.log.String(), secret) {
		t.Errorf("it is in the log of the host:\n%s", s.log)
	}
	pid := s.app("chat").status().pid
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range processes {
		for _, file := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(filepath.Join(p, file))
			if err == nil && bytes.Contains(data, []byte(secret)) {
				t.Errorf("it is in %s/%s", p, file)
			}
			found = found || bytes.Contains(data, []byte("GOMEMLIMIT")) || bytes.Contains(data, []byte("--upgradable"))
		}
	}
	if len(processes) > 0 && !found {
		t.Errorf("process %d was not among those looked at", pid)
	}
	// On disk it is only in the folder in memory.
	err = filepath.WalkDir(s.opts.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("it is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var env api.Env
	s.want(200, "GET", api.AppPath("chat", api.EnvValuesPath), nil, &env)
	if env.Vars["TOKEN"] != secret {
		t.Errorf("who may have the values gets %q", env.Vars)
	}
}

func TestVariables(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	var names api.EnvNames
	s.want(200, "PATCH", api.AppPath("chat", api.EnvPath), api.Env{Vars: map[string]string{"B": "1", "A": "2"}}, &names)
	if strings.Join(names.Names, " ") != "A B" || !names.Pending {
		t.Errorf("after the change: %+v", names)
	}
	s.want(200, "DELETE", api.EnvVarPath("chat", "B"), nil, &names)
	s.ask(s.token, "DELETE", api.EnvVarPath("chat", "B"), nil).failure(t, "remove again", api.CodeNotFound)
	s.says("chat.apps.test", "/parties/tally/x?var=A", "")
	list := s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RestartPath), nil))
	if list[len(list)-1].Kind != api.Done {
		t.Errorf("restart: %+v", list)
	}
	s.says("chat.apps.test", "/parties/tally/x?var=A", "2")
	s.want(200, "PUT", api.AppPath("chat", api.EnvPath), api.Env{Vars: map[string]string{"C": "3"}}, &names)
	if strings.Join(names.Names, " ") != "C" {
		t.Errorf("after putting others: %+v", names)
	}
	s.ask(s.token, "PATCH", api.AppPath("chat", api.EnvPath), api.Env{Vars: map[string]string{"1": "x"}}).failure(t, "a bad name", api.CodeBadRequest)
	s.want(200, "GET", api.AppPath("chat", api.EnvPath), nil, &names)
	if strings.Join(names.Names, " ") != "C" || !names.Pending {
		t.Errorf("after a refused change: %+v", names)
	}
}

func TestLimitsOfMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/limits"); err != nil {
		t.Skip("there is no way to look at another process's limits")
	}
	if raceDetector {
		t.Skip("the race detector needs more memory than a limit leaves")
	}
	s := newSite(t)
	s.deploy("chat", "v1")
	c := s.dial("chat.apps.test", "/parties/plain/room")
	c.talk("a", "1 v1 a")
	c.ws.Close()
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"memory": 400000000, "open_files": 300}`, nil)
	s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RestartPath), nil))
	limits, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.app("chat").status().pid), "limits"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Max data size": "400000000", "Max open files": "300", "Max core file size": "0"} {
		if line := lineOf(string(limits), name); !strings.Contains(line, " "+want+" ") {
			t.Errorf("the limit is %q, want %s", line, want)
		}
	}
	// The process that eats too much ends, and another takes its place; the platform's sockets stay.
	c = s.dial("chat.apps.test", "/parties/plain/room")
	s.visit("chat.apps.test", "/parties/tally/x?eat")
	c.talk("b", "2 v1 b")
}

func lineOf(text, begin string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return line
		}
	}
	return ""
}

// TestBackupsAreNoLinks puts what an app could put in the place of its backup.
func TestBackupsAreNoLinks(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "made")
	for what, put := range map[string]func() error{
		"a symbolic link": func() error { return os.Symlink(secret, made) },
		"a hard link":     func() error { return os.Link(secret, made) },
		"a pipe":          func() error { return syscall.Mkfifo(made, 0o600) },
		"a folder":        func() error { return os.Mkdir(made, 0o700) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if f, err := openRegular(made); err == nil {
			f.Close()
			t.Errorf("%s is taken for a backup", what)
		}
		if err := os.Remove(made); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(made, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openRegular(made)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
