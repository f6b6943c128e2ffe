// A message board over HTTP, with a live feed over WebSockets.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

const (
	maxMessages     = 1000     // that a room keeps
	maxMessageBytes = 16 << 10 // of one message
)

// Messages answers HTTP requests: POST adds a message and sends it to every connected client,
// GET lists what was posted. Its rooms are at /parties/messages/:room.
//
//party:room main hibernate
type Messages struct {
	party.Room

	messages []string // oldest first, as they are stored
	first    uint64   // number of messages[0]
}

// OnStart loads the messages.
func (m *Messages) OnStart(ctx context.Context) error {
	entries, err := m.Storage().List(ctx, party.ListOptions{Prefix: "message/"})
	if err != nil {
		return err
	}
	for i, e := range entries {
		var text string
		if err := e.Decode(&text); err != nil {
			return err
		}
		if i == 0 {
			if _, err := fmt.Sscanf(e.Key, "message/%d", &m.first); err != nil {
				return fmt.Errorf("read key %q: %w", e.Key, err)
			}
		}
		m.messages = append(m.messages, text)
	}
	return nil
}

// OnRequest is called for every HTTP request to the room.
func (m *Messages) OnRequest(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		m.list(w)
	case http.MethodPost:
		m.post(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
	}
}

func (m *Messages) list(w http.ResponseWriter) {
	messages := m.messages
	if messages == nil {
		messages = []string{} // an empty list, not null
	}
	body, err := json.Marshal(messages)
	if err != nil {
		m.Logger().Error("encode the messages", "err", err)
		http.Error(w, "the messages could not be listed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// post stores a message and broadcasts it. The answer and the broadcast leave
// when the message is on disk.
func (m *Messages) post(w http.ResponseWriter, r *http.Request) {
	text, err := readMessage(w, r)
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, err.Error(), status)
		return
	}
	if err := m.store(r.Context(), text); err != nil {
		m.Logger().Error("store a message", "err", err)
		http.Error(w, "the message could not be stored", http.StatusInternalServerError)
		return
	}
	if err := m.Broadcast(party.Text(text)); err != nil {
		m.Logger().Warn("broadcast a message", "err", err)
	}
	fmt.Fprint(w, "OK")
}

// readMessage reads {"message": "…"}.
func readMessage(w http.ResponseWriter, r *http.Request) (string, error) {
	var body struct {
		Message *string `json:"message"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessageBytes)).Decode(&body); err != nil {
		return "", fmt.Errorf("read the message: %w", err)
	}
	if body.Message == nil {
		return "", errors.New(`send {"message": "…"}`)
	}
	return *body.Message, nil
}

// store keeps a message, and drops the oldest one when there are too many.
func (m *Messages) store(ctx context.Context, text string) error {
	number := m.first + uint64(len(m.messages))
	if err := m.Storage().Put(ctx, messageKey(number), text); err != nil {
		return err
	}
	m.messages = append(m.messages, text)
	if len(m.messages) <= maxMessages {
		return nil
	}
	if _, err := m.Storage().Delete(ctx, messageKey(m.first)); err != nil {
		return err
	}
	m.messages = m.messages[1:]
	m.first++
	return nil
}

// messageKey has a fixed width, so that the order of keys is the order of messages.
func messageKey(number uint64) string { return fmt.Sprintf("message/%020d", number) }
