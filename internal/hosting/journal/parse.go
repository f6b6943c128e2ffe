package journal

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Parse makes a line of what an app has printed: an object of log/slog's JSON, or any text. Whatever it
// is, its kind is api.KindLog: an app cannot pretend that the host says something.
func Parse(text string) api.LogLine {
	l := api.LogLine{Kind: api.KindLog}
	var fields map[string]any
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &fields) != nil {
		l.Message = strings.ToValidUTF8(text, "\uFFFD")
		return l
	}
	take := func(name string) string {
		s, ok := fields[name].(string)
		if ok {
			delete(fields, name)
		}
		return s
	}
	l.Message, l.Level = take("msg"), strings.ToLower(take("level"))
	l.Party, l.Room, l.Conn = take("party"), take("room"), take("conn")
	if when, err := time.Parse(time.RFC3339Nano, take("time")); err == nil {
		l.Time = when
	}
	if l.Level == "error" {
		l.Outcome = api.Err
	}
	if len(fields) > 0 {
		l.Fields = fields
	}
	return l
}
