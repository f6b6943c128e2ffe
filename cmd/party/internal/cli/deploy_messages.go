package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/protocol"
	"github.com/goparty-dev/party/internal/revision"
)

// compareMessages adds to a plan what the new version changes for clients: what "party proto diff" finds between the
// revision that serves and the files that were built. A deploy does not depend on it.
func (s *streams) compareMessages(ctx context.Context, plan *api.Plan, p *project) {
	if plan.New || plan.Same || plan.Serving == nil || len(plan.Messages) > 0 {
		return
	}
	changes, err := s.changesSince(ctx, plan.Serving.Commit, p)
	if err != nil {
		plan.MessagesUnknown = err.Error()
		return
	}
	for _, c := range changes {
		plan.Messages = append(plan.Messages, api.MessageChange{Where: c.Where, Change: c.Message, Breaking: c.Breaking})
	}
	if plan.Serving.Modified {
		plan.MessagesUnknown = fmt.Sprintf("the version that serves was built with changes on top of commit %.12s, which are not seen here", plan.Serving.Commit)
	}
}

func (s *streams) changesSince(ctx context.Context, commit string, p *project) ([]protocol.Change, error) {
	if commit == "" {
		return nil, errors.New("the version that serves does not say which commit it was built from")
	}
	repo, err := revision.Find(ctx, p.dir)
	if err != nil {
		return nil, err
	}
	old, err := s.protocolAt(ctx, repo, commit, p.dir)
	if err == nil {
		var now *protocol.Protocol
		if now, err = s.protocolOf(p.dir, shown); err == nil {
			return protocol.Compare(old, now), nil
		}
	}
	if list := (diag.List)(nil); errors.As(err, &list) {
		err = fmt.Errorf("commit %.12s has mistakes that this version of party does not accept", commit)
	}
	return nil, err
}
