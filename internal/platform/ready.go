package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// commitTrouble is how long a commit that has failed makes the platform unready. It becomes ready
// again by itself: without traffic nothing would show that writing works again.
const commitTrouble = 5 * time.Second

// Ready returns nil if the platform can serve: it is not shutting down, has a host, its store can be
// read, and the last commit to the store has not failed within the last 5 s.
func (p *Platform) Ready(ctx context.Context) error {
	if p.closing.Load() {
		return ErrClosing
	}
	if p.currentHost() == nil {
		return errors.New("there is no code to serve yet")
	}
	if at := p.metrics.failedAt.Load(); at != 0 && time.Since(time.Unix(0, at)) < commitTrouble {
		return errors.New("the store could not write")
	}
	if _, err := p.store.Alarms(ctx, storage.Alarm{}, 1); err != nil {
		return fmt.Errorf("the store cannot be read: %w", err)
	}
	return nil
}
