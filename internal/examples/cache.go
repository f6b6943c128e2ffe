package examples

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// fresh is how long a copy may be served.
const fresh = time.Minute

// Cache keeps a copy of what UPSTREAM has under the room's name. However many ask at once, it is fetched once.
//
//party:room
type Cache struct {
	party.Room
	fetching chan struct{} // closed when the running fetch has ended; nil when none runs
}

// OnRequest answers with the copy.
func (c *Cache) OnRequest(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	for {
		page, ok, err := party.Get[[]byte](ctx, c.Storage(), "page")
		switch {
		case err != nil:
			http.Error(w, "the copy cannot be read", http.StatusInternalServerError)
			return
		case ok:
			if _, err := w.Write(page); err != nil {
				c.Logger().Error("serve the copy", "err", err)
			}
			return
		case c.fetching == nil:
			if err := c.fetch(ctx); err != nil {
				c.Logger().Error("fetch", "err", err)
				http.Error(w, "there is nothing to serve now", http.StatusBadGateway)
				return
			}
			continue
		}
		fetching := c.fetching
		err = c.Await(ctx, func(ctx context.Context) error {
			select {
			case <-fetching:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			http.Error(w, "the fetch takes too long", http.StatusGatewayTimeout)
			return
		}
	}
}

// fetch brings the copy. Others have turns meanwhile.
func (c *Cache) fetch(ctx context.Context) error {
	c.fetching = make(chan struct{})
	defer func() {
		close(c.fetching)
		c.fetching = nil
	}()
	var page []byte
	err := c.Await(ctx, func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Env().Get("UPSTREAM")+"/"+c.Name(), nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("upstream answered %s", resp.Status)
		}
		page, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return err
	})
	if err != nil {
		return err
	}
	if err := c.Storage().Put(ctx, "page", page); err != nil {
		return err
	}
	return c.SetAlarm(time.Now().Add(fresh))
}

// OnAlarm throws the copy away.
func (c *Cache) OnAlarm(ctx context.Context) error { return c.Storage().DeleteAll(ctx) }
