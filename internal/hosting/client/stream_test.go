package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func TestDeployTellsAndEnds(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer string
		want   func(error) bool
	}{
		{"done", `{"kind":"checked"}` + "\n\n" + `{"kind":"done","url":"https://chat.example.com"}` + "\n", func(err error) bool { return err == nil }},
		{"failed", `{"kind":"checked"}` + "\n" + `{"kind":"failed","reason":"it crashed","code":"unhealthy"}` + "\n", func(err error) bool {
			failed := (*FailedError)(nil)
			return errors.As(err, &failed) && failed.Code == api.CodeUnhealthy && failed.Error() == "it crashed"
		}},
		{"cut", `{"kind":"checked"}` + "\n" + `{"kind":"starting"}` + "\n", func(err error) bool { return errors.Is(err, ErrCut) }},
		{"cut in a line", `{"kind":"checked"}` + "\n" + `{"kind":"do`, func(err error) bool { return errors.Is(err, ErrCut) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					var req api.DeployRequest
					if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.Binary != "abc" || r.URL.Path != "/v1/apps/chat/deploy" {
						t.Errorf("asked %s for %+v, %v", r.URL, req, err)
					}
					io.WriteString(w, test.answer)
				})
				var kinds []api.EventKind
				err := c.Deploy(t.Context(), "chat", api.DeployRequest{Binary: "abc"}, func(e api.Event) { kinds = append(kinds, e.Kind) })
				if !test.want(err) || len(kinds) == 0 || kinds[0] != api.Checked {
					t.Errorf("Deploy() = %v, told %v", err, kinds)
				}
			})
		})
	}
}

func TestADeployIsNotSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := serve(t, func(http.ResponseWriter, *http.Request) {
			asked++
			panic(http.ErrAbortHandler)
		})
		err := c.Deploy(t.Context(), "chat", api.DeployRequest{}, func(api.Event) {})
		if err == nil || asked != 1 {
			t.Errorf("got error %v, asked %d times, want once", err, asked)
		}
	})
}

// logLine is a line at a second of the test's time.
func logLine(second int, text string) string {
	data, err := json.Marshal(api.LogLine{Time: time.Unix(int64(second), 0), Kind: api.KindLog, Message: text})
	if err != nil {
		panic(err)
	}
	return string(data) + "\n"
}

func TestLogsGoOnAfterABreakWithoutRepeating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			q, err := api.ParseLogQuery(r.URL.Query())
			if err != nil || !q.Follow {
				t.Errorf("asked for %s, %v", r.URL, err)
			}
			switch asked++; asked {
			case 1:
				io.WriteString(w, logLine(1, "one")+logLine(2, "two")+logLine(2, "deux"))
			case 2:
				panic(http.ErrAbortHandler)
			case 3:
				if q.Lines < 3 {
					t.Errorf("asked for %d lines of the past after a break", q.Lines)
				}
				io.WriteString(w, logLine(1, "one")+logLine(2, "two")+logLine(2, "deux")+logLine(2, "zwei")+logLine(3, "three"))
			case 4:
				io.WriteString(w, logLine(3, "three")+logLine(4, "end"))
			default:
				t.Errorf("asked %d times", asked)
			}
		})
		var got []string
		opened, broken := 0, 0
		enough := errors.New("enough")
		err := c.Logs(t.Context(), "chat", api.LogQuery{Follow: true}, LogReader{
			Line: func(l api.LogLine) error {
				got = append(got, l.Message)
				if l.Message == "end" {
					return enough
				}
				return nil
			},
			Opened: func() { opened++ },
			Broken: func(error) { broken++ },
		})
		if want := []string{"one", "two", "deux", "zwei", "three", "end"}; !slices.Equal(got, want) || err != enough || opened != 3 || broken != 2 {
			t.Errorf("got %q, want %q; error %v, opened %d times, broken %d times", got, want, err, opened, broken)
		}
	})
}

func TestLogsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "nowhere") {
				w.WriteHeader(http.StatusNotFound)
				io.WriteString(w, `{"error": {"code": "not-found", "message": "there is no app nowhere"}}`)
				return
			}
			io.WriteString(w, logLine(1, "one"))
		})
		n := 0
		count := LogReader{Line: func(api.LogLine) error { n++; return nil }}
		if err := c.Logs(t.Context(), "chat", api.LogQuery{}, count); err != nil || n != 1 {
			t.Errorf("without Follow: %v, %d lines", err, n)
		}
		if err := c.Logs(t.Context(), "nowhere", api.LogQuery{Follow: true}, count); err == nil || !strings.Contains(err.Error(), "there is no app nowhere") {
			t.Errorf("of no app: got error %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n = 0
		if err := c.Logs(ctx, "chat", api.LogQuery{Follow: true}, count); !errors.Is(err, context.DeadlineExceeded) || n != 1 {
			t.Errorf("for an hour: %v, %d lines, want the only one once", err, n)
		}
	})
}
