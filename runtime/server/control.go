//go:build !party_host

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/operate"
	"github.com/goparty-dev/party/internal/supervise"
)

// control answers on the control socket.
type control struct {
	sp   *split
	http *http.Server
	wait sync.WaitGroup
	end  context.CancelFunc
}

// begun is when this program has begun, perhaps in a process that was another one before.
var begun = time.Now()

// listenControl listens on the control socket of a data folder. The store is open, so
// a socket that is there is nobody's.
func listenControl(sp *split) (*control, error) {
	path, err := controlPath(sp.dataDir)
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(path); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err == nil {
		// The folder is the user's alone as a rule. If not, the moment before this is of no use to
		// others: nothing answers yet.
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ctx, end := context.WithCancel(context.Background())
	c := &control{sp: sp, end: end}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+operate.StatusPath, c.status)
	mux.HandleFunc("POST "+operate.UpgradePath, func(w http.ResponseWriter, r *http.Request) {
		c.upgrade(w, r, r.URL.Query().Get("binary"))
	})
	mux.HandleFunc("POST "+operate.RollbackPath, c.rollback)
	mux.HandleFunc("PUT /room", c.importRoom)
	c.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(sp.log.Handler(), slog.LevelDebug),
	}
	c.wait.Go(func() {
		if err := c.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			sp.log.Error("control socket", "err", err)
		}
	})
	return c, nil
}

func (c *control) upgrade(w http.ResponseWriter, r *http.Request, path string) {
	c.follow(w, r, func(ctx context.Context, out func(operate.Progress)) error {
		return c.sp.upgrade(ctx, order{
			path: path, restart: r.URL.Query().Get("restart") == "true",
			remark:     func(text string) { out(operate.Progress{Remark: text}) },
			each:       func(n supervise.Notice) { out(operate.Progress{Notice: &n}) },
			restarting: func(id string) { out(operate.Progress{Restarting: id}) },
		})
	})
}

func (c *control) rollback(w http.ResponseWriter, r *http.Request) {
	c.follow(w, r, func(ctx context.Context, out func(operate.Progress)) error {
		return c.sp.supervisor.Rollback(ctx, func(n supervise.Notice) { out(operate.Progress{Notice: &n}) })
	})
}

// controlPath is the shorter of two paths to the socket: the system allows about a hundred bytes.
func controlPath(dataDir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, operate.Socket))
	if err != nil {
		return "", fmt.Errorf("control socket: %w", err)
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
			path = rel
		}
	}
	if len(path) > 100 {
		return "", fmt.Errorf("control socket: the path %s is too long for a socket: choose another --data folder, or start in it", path)
	}
	return path, nil
}

// close stops answering. Upgrades that somebody waits for go on without.
func (c *control) close() error {
	if c == nil {
		return nil
	}
	c.end()
	err := c.http.Close()
	c.wait.Wait()
	return err
}

// follow streams what becomes of a question, a JSON object a line.
func (c *control) follow(w http.ResponseWriter, r *http.Request, do func(context.Context, func(operate.Progress)) error) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	var mu sync.Mutex
	out := func(p operate.Progress) {
		mu.Lock()
		defer mu.Unlock()
		_ = enc.Encode(p) // if it fails, whoever asked has gone
		_ = http.NewResponseController(w).Flush()
	}
	last := operate.Progress{Done: true}
	if err := do(r.Context(), out); err != nil {
		last.Error = err.Error()
	}
	out(last)
}

func (c *control) status(w http.ResponseWriter, _ *http.Request) {
	st := c.sp.supervisor.Status()
	out := operate.Standing{PID: os.Getpid(), Started: begun, Host: st.PID, Serving: st.Serving, Starting: st.Starting, Unfit: st.Unfit, UnfitRooms: st.UnfitRooms}
	for _, e := range st.History {
		v := operate.Version{ID: e.ID, Proven: e.Proven}
		if r, err := c.sp.folder.Get(e.ID); err == nil {
			v.Build = r.About.Build
		}
		out.Versions = append(out.Versions, v)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // as above
}
