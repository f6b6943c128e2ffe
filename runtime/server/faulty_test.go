package server_test

import (
	"context"
	"sync/atomic"

	"github.com/goparty-dev/party/runtime/storage"
)

// faulty is a store that can be made to fail with errFaulty.
type faulty struct {
	storage.Store
	fail       atomic.Bool // commits
	unreadable atomic.Bool
}

func (f *faulty) Commit(c storage.Commit, done func(error)) {
	if f.fail.Load() {
		// The room has to be claimed anew, as with any store.
		f.Store.Claim(context.Background(), c.Room)
		go done(errFaulty)
		return
	}
	f.Store.Commit(c, done)
}

func (f *faulty) Alarms(ctx context.Context, after storage.Alarm, limit int) ([]storage.Alarm, error) {
	if f.unreadable.Load() {
		return nil, errFaulty
	}
	return f.Store.Alarms(ctx, after, limit)
}
