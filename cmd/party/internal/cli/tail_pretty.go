package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// pretty is a line of a log as people read it. What comes from outside cannot
// steer the terminal: control characters are shown, not obeyed.
func pretty(l *api.LogLine) string {
	var b strings.Builder
	b.WriteString(l.Time.Local().Format("15:04:05.000"))
	word := func(format string, args ...any) { fmt.Fprintf(&b, " "+format, args...) }
	switch l.Kind {
	case api.KindRequest:
		word("%s %s - %d %s", l.Method, l.URL, l.Status, verdict(l.Outcome))
		word("(%s)", milliseconds(l.MS))
	case api.KindOpen:
		word("OPEN %s", l.URL)
		if l.Status != 0 && l.Status != 101 {
			word("- %d %s", l.Status, verdict(l.Outcome))
		}
	case api.KindClose:
		word("CLOSE %s after %s", l.URL, (time.Duration(l.MS) * time.Millisecond).Round(time.Millisecond))
		if l.Status != 0 {
			word("- %d", l.Status)
		}
	case api.KindDropped:
		word("… %s not kept, there were too many", plural(l.Count, "line"))
	case api.KindHost:
		word("[host]")
	}
	if l.Level != "" && l.Level != "info" {
		word("%s", strings.ToUpper(l.Level))
	}
	if l.Message != "" {
		word("%s", l.Message)
	}
	for _, f := range []struct{ name, value string }{{"party", l.Party}, {"room", l.Room}, {"conn", l.Conn}, {"ip", l.IP}} {
		if f.value != "" && (l.Kind != api.KindRequest || f.name == "ip") {
			word("%s=%s", f.name, f.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		value, err := json.Marshal(l.Fields[name])
		if err != nil {
			value = []byte("?")
		}
		if text, ok := l.Fields[name].(string); ok && !strings.ContainsAny(text, " \"\n") {
			value = []byte(text)
		}
		word("%s=%s", name, value)
	}
	return plain(b.String())
}

func verdict(o api.Outcome) string {
	switch o {
	case api.OK:
		return "Ok"
	case api.Err:
		return "Error"
	case api.Canceled:
		return "Canceled"
	}
	return string(o)
}

// plain shows control characters as escapes, except those that only move on in a text. Further lines
// are indented.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("\n             ")
		case r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
