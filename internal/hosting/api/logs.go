package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Outcome is how a request or a line of a log ended.
type Outcome string

// The outcomes: of a request, 5xx and cut-off answers are errors, and requests whose client went away are cancelled.
const (
	OK       Outcome = "ok"
	Err      Outcome = "error"
	Canceled Outcome = "canceled"
)

// Kinds of log lines.
const (
	KindLog     = "log"     // something that the app has printed
	KindRequest = "request" // an HTTP request that was answered
	KindOpen    = "open"    // a WebSocket was opened
	KindClose   = "close"   // and closed
	KindHost    = "host"    // from "party host": starts, crashes, deploys
	KindDropped = "dropped" // Count lines were not kept, since they were too many
)

// LogLine is one line of a log.
type LogLine struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Outcome Outcome   `json:"outcome,omitempty"`
	Level   string    `json:"level,omitempty"` // "debug", "info", "warn", "error"
	Message string    `json:"message,omitempty"`

	// of requests and sockets
	Method string  `json:"method,omitempty"`
	URL    string  `json:"url,omitempty"` // values in the query are masked, but _pk
	Status int     `json:"status,omitempty"`
	IP     string  `json:"ip,omitempty"`
	Conn   string  `json:"conn,omitempty"` // the connection's id
	Party  string  `json:"party,omitempty"`
	Room   string  `json:"room,omitempty"`
	MS     float64 `json:"ms,omitempty"` // how long it took, or was open
	// Headers of a request are told as it happens and never kept. Authorization, cookies and the like are masked.
	Headers map[string]string `json:"headers,omitempty"`

	Fields map[string]any `json:"fields,omitempty"` // what else the app has logged
	Count  int            `json:"count,omitempty"`
}

// LogQuery says which lines are wanted. All conditions must hold; of several values of one, any.
type LogQuery struct {
	Follow   bool      // go on with what happens from now on
	Lines    int       // of the past, at most MaxLines
	Outcomes []Outcome // lines without outcome are not wanted then
	Methods  []string
	Headers  []HeaderMatch // only lines that are told as they happen have headers
	Search   string        // in the message and the URL, without regard to case
	Sampling float64       // share of the lines that are told, above 0 to 1; 0 means 1
	IPs      []string      // "self" is the address that asks
	Conns    []string
	Kinds    []string
}

// MaxLines is how many lines of the past can be asked for.
const MaxLines = 10_000

// HeaderMatch wants a header, and unless Value is empty, that text in it.
type HeaderMatch struct{ Name, Value string }

// Values is the query as it stands in a URL.
func (q *LogQuery) Values() url.Values {
	v := make(url.Values)
	if q.Follow {
		v.Set("follow", "true")
	}
	if q.Lines != 0 {
		v.Set("lines", strconv.Itoa(q.Lines))
	}
	for _, o := range q.Outcomes {
		v.Add("status", string(o))
	}
	for _, h := range q.Headers {
		text := h.Name
		if h.Value != "" {
			text += ":" + h.Value
		}
		v.Add("header", text)
	}
	if q.Search != "" {
		v.Set("search", q.Search)
	}
	if q.Sampling != 0 {
		v.Set("sampling", strconv.FormatFloat(q.Sampling, 'g', -1, 64))
	}
	for name, values := range map[string][]string{"method": q.Methods, "ip": q.IPs, "conn": q.Conns, "kind": q.Kinds} {
		if len(values) > 0 {
			v[name] = values
		}
	}
	return v
}

// ParseLogQuery is the opposite of Values. The error is for whoever has asked.
func ParseLogQuery(v url.Values) (*LogQuery, error) {
	q := &LogQuery{
		Search: v.Get("search"), Methods: slices.Clone(v["method"]), IPs: v["ip"], Conns: v["conn"], Kinds: v["kind"],
	}
	for n, m := range q.Methods {
		q.Methods[n] = strings.ToUpper(m)
	}
	var err error
	if s := v.Get("follow"); s != "" {
		if q.Follow, err = strconv.ParseBool(s); err != nil {
			return nil, fmt.Errorf("follow %q: want true or false", s)
		}
	}
	if s := v.Get("lines"); s != "" {
		if q.Lines, err = strconv.Atoi(s); err != nil || q.Lines < 0 || q.Lines > MaxLines {
			return nil, fmt.Errorf("lines %q: want a number from 0 to %d", s, MaxLines)
		}
	}
	if s := v.Get("sampling"); s != "" {
		if q.Sampling, err = strconv.ParseFloat(s, 64); err != nil || !(q.Sampling > 0 && q.Sampling <= 1) {
			return nil, fmt.Errorf("sampling %q: want a number above 0 and up to 1", s)
		}
	}
	for _, s := range v["status"] {
		o := Outcome(s)
		if o != OK && o != Err && o != Canceled {
			return nil, fmt.Errorf("status %q: want %s, %s or %s", s, OK, Err, Canceled)
		}
		q.Outcomes = append(q.Outcomes, o)
	}
	for _, s := range v["header"] {
		name, value, _ := strings.Cut(s, ":")
		if name = strings.TrimSpace(name); name == "" {
			return nil, errors.New("header: want NAME or NAME:VALUE")
		}
		q.Headers = append(q.Headers, HeaderMatch{name, strings.TrimSpace(value)})
	}
	return q, nil
}
