package examples

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	party "github.com/goparty-dev/party/runtime"
)

// Said is one part of a conversation.
type Said struct {
	By   string `json:"by"` // "user" or "model"
	Text string `json:"text"`
}

// Assistant is a conversation with a model, which MODEL_URL leads to: it takes the conversation as JSON and streams its answer a line
// at a time. The answer is shown as it comes, to everybody in the room, and kept when it is complete.
//
//party:room
type Assistant struct {
	party.Room
	said []Said
	busy bool
}

// OnStart brings the conversation back.
func (a *Assistant) OnStart(ctx context.Context) error {
	_, err := a.Storage().Get(ctx, "said", &a.said)
	return err
}

// OnConnect shows it.
func (a *Assistant) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return conn.Send(party.Event("said", map[string]any{"said": a.said}))
}

// OnMessage asks the model. The room takes other events while it answers.
func (a *Assistant) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if a.busy {
		return conn.Send(party.Event("busy", struct{}{}))
	}
	a.busy = true
	defer func() { a.busy = false }()
	if err := a.keep(ctx, Said{"user", msg.Text()}); err != nil {
		return err
	}
	question, err := json.Marshal(a.said)
	if err != nil {
		return err
	}
	var answer strings.Builder
	err = a.Await(ctx, func(ctx context.Context) error {
		return ask(ctx, a.Env().Get("MODEL_URL"), question, func(part string) error {
			answer.WriteString(part)
			return a.show(part)
		})
	})
	if err != nil {
		return errors.Join(err, a.Broadcast(party.Event("failed", struct{}{})))
	}
	return a.keep(ctx, Said{"model", answer.String()})
}

// keep adds to the conversation and shows it.
func (a *Assistant) keep(ctx context.Context, s Said) error {
	a.said = append(a.said, s)
	return errors.Join(a.Storage().Put(ctx, "said", a.said), a.Broadcast(party.Event("said", map[string]any{"said": a.said})))
}

// show enters a turn to show a part of the answer.
func (a *Assistant) show(part string) error {
	var failed error
	gone := a.Do(func() { failed = a.Broadcast(party.Event("part", map[string]string{"text": part})) })
	return errors.Join(gone, failed)
}

// ask is for outside turns: it takes as long as the model.
func ask(ctx context.Context, model string, question []byte, part func(string) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, model, bytes.NewReader(question))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the model answered %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if err := part(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
