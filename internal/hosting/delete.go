//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// delete ends an app that the caller has taken and removes it. What it has stored is kept in a file of the host's, unless
// purge says that nothing is to be left.
func (h *Host) delete(ctx context.Context, a *app, purge bool) (*api.Deleted, error) {
	out := &api.Deleted{Name: a.name}
	for _, other := range h.list() {
		if strings.HasPrefix(other.name, a.name+"--") {
			out.Previews = append(out.Previews, other.name)
		}
	}
	if err := a.await(ctx, a.run("")); err != nil {
		return nil, err
	}
	_, err := os.Stat(a.place.database())
	if err == nil && !purge {
		path := filepath.Join(h.layout.deleted(), a.name+"-"+time.Now().UTC().Format(backupStamp)+backupEnd)
		if _, err := a.export(ctx, path); err != nil {
			a.resume()
			return nil, problem(api.CodeInternal, fmt.Sprintf("%s is not deleted, since what it has stored cannot be kept: %v", a.name, err), "purge it if nothing is to be kept")
		}
		out.Backup = path
	}
	return out, h.remove(a)
}

// remove takes an app out of the host and removes its folders.
func (h *Host) remove(a *app) error {
	a.end()
	<-a.ended
	h.mu.Lock()
	delete(h.apps, a.name)
	h.mu.Unlock()
	h.route()
	err := a.log.Close()
	a.transport.CloseIdleConnections()
	// Without the record it is no app, whatever is left if the host ends now.
	err = errors.Join(err, os.Remove(a.place.record()))
	for _, dir := range []string{a.place.dir, a.place.own, a.place.run, h.layout.uploads(a.name)} {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", a.name, err)
	}
	return nil
}
