package examples

import (
	"context"
	"io"
	"net/http"
	"path"

	party "github.com/goparty-dev/party/runtime"
)

// Topics passes what is posted to /parties/topics/:room/:topic on to who listens to that topic. Clients name theirs when they connect, by
// ?topic=a&topic=b; they are the connection's tags.
//
//party:room hibernate
type Topics struct {
	party.Room
}

// ConnectionTags are the topics.
func (t *Topics) ConnectionTags(ctx context.Context, conn *party.Conn, r *http.Request) ([]string, error) {
	return r.URL.Query()["topic"], nil
}

// OnRequest publishes.
func (t *Topics) OnRequest(w http.ResponseWriter, r *http.Request) {
	topic := path.Base(r.URL.Path)
	if r.Method != http.MethodPost || topic == t.Name() {
		http.Error(w, "POST to a topic", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = t.Broadcast(party.Text(string(body)), party.WithTag(topic))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
