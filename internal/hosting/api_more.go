//go:build unix

package hosting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/goparty-dev/party/internal/hosting/access"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/journal"
)

func (h *Host) listTokens(c *call) error {
	if err := c.everywhere(api.Admin); err != nil {
		return err
	}
	list, err := h.tokens.List()
	if err != nil {
		return err
	}
	return c.answer(list)
}

func (h *Host) makeToken(c *call) error {
	if err := c.everywhere(api.Admin); err != nil {
		return err
	}
	var n api.NewToken
	if err := c.question(&n); err != nil {
		return err
	}
	made, err := h.tokens.Make(n)
	if err != nil {
		return problem(api.CodeBadRequest, err.Error(), "")
	}
	h.log.Info("token made", "id", made.ID, "name", made.Name, "by", c.token.Name)
	return c.answer(made)
}

func (h *Host) revokeToken(c *call) error {
	// Who has a token may give it up.
	id := c.r.PathValue("id")
	if id != c.token.ID {
		if err := c.everywhere(api.Admin); err != nil {
			return err
		}
	}
	err := h.tokens.Revoke(id)
	if errors.Is(err, access.ErrNoToken) {
		return problem(api.CodeNotFound, err.Error(), "")
	}
	if err != nil {
		return err
	}
	h.log.Info("token revoked", "id", id, "by", c.token.Name)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) answerEnv(a *app, vars map[string]string) error {
	return c.answer(api.EnvNames{Names: slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(vars)))), Pending: a.record().EnvChanged})
}

func (h *Host) listEnv(c *call, a *app) error {
	vars, err := a.vars()
	if err != nil {
		return err
	}
	return c.answerEnv(a, vars)
}

func (h *Host) pullEnv(c *call, a *app) error {
	vars, err := a.vars()
	if err != nil {
		return err
	}
	return c.answer(api.Env{Vars: vars})
}

// changeEnv sets variables; with PUT, those that are not named are removed.
func (h *Host) changeEnv(c *call, a *app) error {
	var q api.Env
	if err := c.question(&q); err != nil {
		return err
	}
	return c.editEnv(a, func(vars map[string]string) error {
		if c.r.Method == http.MethodPut {
			clear(vars)
		}
		maps.Copy(vars, q.Vars)
		return nil
	})
}

func (h *Host) removeEnv(c *call, a *app) error {
	name := c.r.PathValue("name")
	return c.editEnv(a, func(vars map[string]string) error {
		if _, there := vars[name]; !there {
			return problem(api.CodeNotFound, fmt.Sprintf("%s has no variable %q", a.name, name), "")
		}
		delete(vars, name)
		return nil
	})
}

func (c *call) editEnv(a *app, edit func(map[string]string) error) error {
	if err := a.take(); err != nil {
		return err
	}
	defer a.give()
	vars, err := a.vars()
	if err == nil {
		err = edit(vars)
	}
	if err == nil {
		err = a.setVars(vars)
	}
	if err != nil {
		return err
	}
	return c.answerEnv(a, vars)
}

// tail tells lines of the log: of the past, then, if that is wanted, those that come.
func (h *Host) tail(c *call, a *app) error {
	q, err := api.ParseLogQuery(c.r.URL.Query())
	if err != nil {
		return problem(api.CodeBadRequest, err.Error(), "")
	}
	want := journal.Filter(q, c.ip)
	past, follow, err := a.log.Past(q.Lines, want, q.Follow)
	if errors.Is(err, journal.ErrTooMany) {
		return problem(api.CodeTooMany, err.Error(), "")
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", api.StreamType)
	enc, out := json.NewEncoder(c.w), http.NewResponseController(c.w)
	for _, l := range past {
		if enc.Encode(l) != nil {
			break // whoever asked has gone
		}
	}
	_ = out.Flush()
	if follow == nil {
		return nil
	}
	defer follow.Close()
	for {
		select {
		case l, more := <-follow.Lines():
			if !more {
				return nil
			}
			if want(&l) && (enc.Encode(l) != nil || out.Flush() != nil) {
				return nil
			}
		case <-c.r.Context().Done():
			return nil
		case <-h.running.Done():
			return nil
		}
	}
}

func (h *Host) listBackups(c *call, a *app) error {
	list, err := a.backupList()
	if err != nil {
		return err
	}
	return c.answer(list)
}

func (h *Host) makeBackup(c *call, a *app) error {
	b, err := a.backUp(c.r.Context(), backupAsked)
	if err != nil {
		return err
	}
	return c.answer(b)
}

func (h *Host) getBackup(c *call, a *app) error {
	path, err := a.backupFile(c.r.PathValue("id"))
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", api.BytesType)
	http.ServeContent(c.w, c.r, "", info.ModTime(), file)
	return nil
}

func (h *Host) deleteBackup(c *call, a *app) error {
	path, err := a.backupFile(c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Host) askRestore(c *call, a *app) error {
	path, err := a.backupFile(c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.streamOn(c, a, false, func(ctx context.Context, emit func(api.Event)) error {
		return a.restore(ctx, path, emit)
	})
}

// exitUsage is the exit code of a program that does not know a command or a flag.
const exitUsage = 2

// room reads which room is meant, and the program that can give it.
func (c *call) room(a *app) (party, room, program string, err error) {
	q := c.r.URL.Query()
	party, room = q.Get("party"), q.Get("room")
	if party == "" || room == "" {
		return "", "", "", problem(api.CodeBadRequest, "want ?party= and &room=", "")
	}
	r := a.record()
	v, ok := r.find(r.Version)
	if !ok {
		return "", "", "", problem(api.CodeNotRunning, a.name+" has no version", "deploy one")
	}
	return party, room, a.place.blob(v.Hash), nil
}

// roomProblem is what an app's rooms command has said against it.
func roomProblem(err error) error {
	if said := (*commandError)(nil); errors.As(err, &said) {
		if said.code == exitUsage {
			return problem(api.CodeUnsupported, "the app's program cannot give or take single rooms", "build it with a newer version of party")
		}
		return problem(api.CodeRefused, said.said, "")
	}
	return err
}

func (h *Host) pullRoom(c *call, a *app) error {
	party, room, program, err := c.room(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), backupTime)
	defer cancel()
	// Into a file first: a room that cannot be given is a failure, and not half a file.
	file, err := os.CreateTemp(h.layout.scratch(), "room-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := a.place.command(ctx, a.user, program, nil, file, "rooms", "export", "--data", a.place.store(), "--", party, room, "-"); err != nil {
		return roomProblem(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", api.BytesType)
	_, _ = io.Copy(c.w, file) // if it fails, whoever asked has gone
	return nil
}

func (h *Host) pushRoom(c *call, a *app) error {
	party, room, program, err := c.room(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), backupTime)
	defer cancel()
	args := []string{"rooms", "import", "--data", a.place.store()}
	if c.r.URL.Query().Get("replace") == "true" {
		args = append(args, "--force")
	}
	body := http.MaxBytesReader(c.w, c.r.Body, h.opts.MaxBlob)
	if err := a.place.command(ctx, a.user, program, body, io.Discard, append(args, "--", party, room, "-")...); err != nil {
		return roomProblem(err)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
