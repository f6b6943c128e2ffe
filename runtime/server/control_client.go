//go:build !party_host

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/operate"
	"github.com/goparty-dev/party/internal/supervise"
)

// errNoServer says that nobody listens on a data folder's control socket.
var errNoServer = errors.New("no \"serve --upgradable\" answers")

// askServer sends a request to the server that uses a data folder. The error is errNoServer if there is none.
func askServer(ctx context.Context, dataDir, method, target string, body io.Reader) (io.ReadCloser, error) {
	path, err := controlPath(dataDir)
	if err != nil {
		return nil, err
	}
	client, root := clientFor(unixPrefix + path)
	req, err := http.NewRequestWithContext(ctx, method, root+target, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w in the data folder %s: %w", errNoServer, dataDir, err)
	}
	if resp.StatusCode != http.StatusOK {
		said, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return nil, errors.Join(fmt.Errorf("the server in %s answers %s: %s", dataDir, resp.Status, strings.TrimSpace(string(said))), err, resp.Body.Close())
	}
	return resp.Body, nil
}

func runUpgrade(v *invocation) int {
	set := v.flagSet("upgrade", "NEWBINARY")
	data := dataFlag(set)
	noWait := set.Bool("no-wait", false, "do not wait for the end of the probation")
	restart := set.Bool("restart", false, "restart the platform with it too: no request is refused, and sockets are closed with 1012 and connect again")
	args, code, ok := v.parse(set, 1)
	if !ok {
		return code
	}
	binary, err := filepath.Abs(args[0])
	if err != nil {
		return v.fail(err)
	}
	q := url.Values{"binary": {binary}}
	if *restart {
		q.Set("restart", "true")
	}
	return v.follow(*data, operate.UpgradePath+"?"+q.Encode(), *noWait)
}

func runRollback(v *invocation) int {
	set := v.flagSet("rollback", "")
	data := dataFlag(set)
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	return v.follow(*data, operate.RollbackPath, false)
}

// follow asks for something and shows what becomes of it.
func (v *invocation) follow(data, target string, noWait bool) int {
	body, err := askServer(v.ctx, data, http.MethodPost, target, nil)
	if err != nil {
		return v.fail(err)
	}
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var p operate.Progress
		switch err := dec.Decode(&p); {
		case err == nil && p.Restarting != "":
			return v.awaitRestart(data, p.Restarting)
		case errors.Is(err, io.EOF):
			return v.fail(errors.New("the server has ended meanwhile"))
		case err != nil:
			return v.fail(err)
		case p.Remark != "":
			fmt.Fprintln(v.stdout, "note:", p.Remark)
		case p.Notice != nil:
			fmt.Fprintln(v.stdout, describe(p.Notice))
			if noWait && p.Notice.Kind == supervise.HandedOver {
				return 0
			}
		case p.Error != "":
			return v.fail(errors.New(p.Error))
		case p.Done:
			return 0
		}
	}
}

// restartTime bounds a restart: draining, and what a host may take to start.
const restartTime = 90 * time.Second

// awaitRestart waits until a server has restarted, and says whether it has as the version that it was to be.
func (v *invocation) awaitRestart(data, id string) int {
	fmt.Fprintf(v.stdout, "version %s: the server restarts\n", id)
	asked := time.Now()
	ctx, cancel := context.WithTimeout(v.ctx, restartTime)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v.fail(fmt.Errorf("the server has not restarted: %w", ctx.Err()))
		}
		body, err := askServer(ctx, data, http.MethodGet, operate.StatusPath, nil)
		if err != nil {
			continue // it is on its way
		}
		var st operate.Standing
		err = json.NewDecoder(body).Decode(&st)
		body.Close()
		switch {
		case err != nil || st.Started.Before(asked):
		case st.Serving == id:
			fmt.Fprintf(v.stdout, "version %s: serving, platform and all\n", id)
			return 0
		default:
			return v.fail(fmt.Errorf("version %s could not start, and version %s serves again: see the log", id, st.Serving))
		}
	}
}

// describe says what has happened in a line. Reasons come with the error at the end.
func describe(n *supervise.Notice) string {
	switch n.Kind {
	case supervise.HandedOver:
		return fmt.Sprintf("version %s: %d live rooms with %d sockets handed over, longest pause %v", n.Version, n.Rooms, n.Sockets, n.Pause.Round(10*time.Microsecond))
	case supervise.RolledBack:
		return fmt.Sprintf("version %s: rolled back to %s", n.From, n.Version)
	case supervise.NotMigrated:
		return fmt.Sprintf("version %s: the data of room %s cannot be migrated, and is as it was: %s", n.Version, n.Room, n.Reason)
	case supervise.Serving:
		return fmt.Sprintf("version %s: serving, on probation if it is new", n.Version)
	}
	return fmt.Sprintf("version %s: %s", n.Version, n.Kind)
}

func runStatus(v *invocation) int {
	set := v.flagSet("status", "")
	data := dataFlag(set)
	asJSON := set.Bool("json", false, "as JSON")
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	body, err := askServer(v.ctx, *data, http.MethodGet, operate.StatusPath, nil)
	if err != nil {
		return v.fail(err)
	}
	defer body.Close()
	var st operate.Standing
	if err := json.NewDecoder(body).Decode(&st); err != nil {
		return v.fail(err)
	}
	if *asJSON {
		enc := json.NewEncoder(v.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(st); err != nil {
			return v.fail(err)
		}
		return 0
	}
	fmt.Fprintf(v.stdout, "platform process %d, host process %d\n", st.PID, st.Host)
	for _, s := range st.Versions {
		word := "can be gone back to"
		switch {
		case s.ID == st.Serving && s.Proven:
			word = "serving"
		case s.ID == st.Serving:
			word = "serving, on probation"
		}
		fmt.Fprintf(v.stdout, "%s  %s %s  %s\n", s.ID, s.Build.Name, s.Build.Label(), word)
	}
	if st.UnfitRooms > 0 {
		fmt.Fprintf(v.stdout, "rooms whose data it cannot migrate: %d\n", st.UnfitRooms)
	}
	for _, u := range st.Unfit {
		fmt.Fprintf(v.stdout, "  %s: %s\n", u.Room, u.Reason)
	}
	return 0
}
