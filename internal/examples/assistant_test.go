package examples

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestAssistant(t *testing.T) {
	next := make(chan string)
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != `[{"by":"user","text":"what is 6 × 7?"}]` {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		for part := range next {
			fmt.Fprintln(w, part)
			w.(http.Flusher).Flush()
		}
	}))
	defer model.Close()
	s := partytest.New(t, partytest.Rooms(party.Define[Assistant]("assistant")), partytest.Vars(map[string]any{"MODEL_URL": model.URL}))
	c := s.Connect("/party/talk")
	c.Expect(`{"type":"said","said":null}`)
	c.Say("what is 6 × 7?")
	const asked = `{"by":"user","text":"what is 6 × 7?"}`
	c.Expect(`{"type":"said","said":[` + asked + `]}`)
	next <- "It is "
	c.Expect(`{"type":"part","text":"It is "}`) // before there is more
	c.Say("hurry")
	c.Expect(`{"type":"busy"}`)
	next <- "42."
	c.Expect(`{"type":"part","text":"42."}`)
	close(next)
	const answered = asked + `,{"by":"model","text":"It is 42."}`
	c.Expect(`{"type":"said","said":[` + answered + `]}`)
	c.Say("and 6 × 8?") // the model is a teapot now
	c.Expect(`{"type":"said","said":[` + answered + `,{"by":"user","text":"and 6 × 8?"}]}`)
	c.Expect(`{"type":"failed"}`)
}
