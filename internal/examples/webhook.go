package examples

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// shown is how many deliveries a newcomer sees.
const shown = 10

// Delivery is what browsers see of a webhook.
type Delivery struct {
	Event  string `json:"event"`
	Action string `json:"action"`
	Sender string `json:"sender"`
}

// Webhook shows GitHub's deliveries to browsers as they come. The room's URL is the webhook's, WEBHOOK_SECRET its secret.
//
//party:room hibernate
type Webhook struct {
	party.Room
}

// OnRequest takes a delivery. When GitHub is told that it has arrived, it is on disk.
func (h *Webhook) OnRequest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(h.Env().Get("WEBHOOK_SECRET")))
	mac.Write(body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if err != nil || r.Method != http.MethodPost || !hmac.Equal([]byte(signature), []byte(r.Header.Get("X-Hub-Signature-256"))) {
		http.Error(w, "not a delivery of ours", http.StatusForbidden)
		return
	}
	var payload struct {
		Action string
		Sender struct{ Login string }
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if err := h.take(r.Context(), Delivery{Event: r.Header.Get("X-GitHub-Event"), Action: payload.Action, Sender: payload.Sender.Login}); err != nil {
		h.Logger().Error("take delivery", "err", err)
		http.Error(w, "send it again", http.StatusInternalServerError)
	}
}

func (h *Webhook) take(ctx context.Context, d Delivery) error {
	latest, _, err := party.Get[[]Delivery](ctx, h.Storage(), "latest")
	if err != nil {
		return err
	}
	latest = append(latest, d)
	latest = latest[max(0, len(latest)-shown):]
	return errors.Join(h.Storage().Put(ctx, "latest", latest), h.Broadcast(party.JSON([]Delivery{d})))
}

// OnConnect shows the latest deliveries.
func (h *Webhook) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	latest, _, err := party.Get[[]Delivery](ctx, h.Storage(), "latest")
	if err != nil {
		return err
	}
	return conn.Send(party.JSON(latest))
}
