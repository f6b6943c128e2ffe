package examples

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestWebhook(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Webhook]("webhook", party.AsHibernating())), partytest.Vars(map[string]any{"WEBHOOK_SECRET": "hush"}))
	deliver := func(body, secret string) *http.Response {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		r := httptest.NewRequest("POST", "/party/repo", strings.NewReader(body))
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		r.Header.Set("X-GitHub-Event", "star")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Result()
	}
	c := s.Connect("/party/repo")
	c.Expect("null")
	const starred = `{"action": "created", "sender": {"login": "ada"}}`
	wantResponse(t, deliver(starred, "guessed"), 403, "not a delivery of ours\n")
	wantResponse(t, deliver("{", "hush"), 400, "not JSON\n")
	s.Hibernate("webhook", "repo")
	wantResponse(t, deliver(starred, "hush"), 200, "")
	c.Expect(`[{"event":"star","action":"created","sender":"ada"}]`)
	for range shown {
		wantResponse(t, deliver(`{"action": "deleted", "sender": {"login": "bob"}}`, "hush"), 200, "")
	}
	late := s.Connect("/party/repo").Next().Text()
	if n := strings.Count(late, `"bob"`); n != shown || strings.Contains(late, "ada") {
		t.Errorf("a newcomer sees %s", late)
	}
}
