//go:build unix

package hosting

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Admin returns a handler for whoever operates the host, to be served where clients cannot reach it.
//
//	/metrics  those of the host and of all its apps, with the label app, in Prometheus' text format
//	/healthz  200 as long as the process answers
//	/readyz   200 if the host can take requests; 503 with the reason when it shuts down
func (h *Host) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if h.running.Err() != nil {
			http.Error(w, errStopped.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		var all families
		h.ownMetrics(&all)
		h.appMetrics(r.Context(), &all)
		_ = all.write(w) // if it fails, whoever asked has gone
	})
	return mux
}

// family is one metric with its samples, of all apps: the format wants them together.
type family struct {
	head    []string // HELP and TYPE
	samples []string
}

// families are metrics by name, in the order of their first mention.
type families struct {
	names  []string
	byName map[string]*family
}

func (f *families) get(name string) *family {
	if f.byName == nil {
		f.byName = make(map[string]*family)
	}
	if f.byName[name] == nil {
		f.byName[name] = new(family)
		f.names = append(f.names, name)
	}
	return f.byName[name]
}

func (f *families) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, name := range f.names {
		for _, line := range append(f.byName[name].head, f.byName[name].samples...) {
			out.WriteString(line)
			out.WriteByte('\n')
		}
	}
	return out.Flush()
}

func (h *Host) ownMetrics(all *families) {
	list := h.list()
	for _, m := range []struct {
		name, kind, help string
		value            func(*app) int64
	}{
		{"party_host_app_up", "gauge", "Whether the app can serve.", func(a *app) int64 {
			if s := a.status().state; s == api.Running || s == api.Deploying {
				return 1
			}
			return 0
		}},
		{"party_host_app_restarts_total", "counter", "How often the app's process has crashed or could not be started.", func(a *app) int64 { return int64(a.status().starts) }},
		{"party_host_requests_total", "counter", "Requests for the app, upgrades to WebSockets included.", func(a *app) int64 { return a.counts.requests.Load() }},
		{"party_host_request_faults_total", "counter", "Requests that were answered with 5xx by the app or for it.", func(a *app) int64 { return a.counts.faults.Load() }},
		{"party_host_requests_refused_total", "counter", "Requests that were answered with 503, since the app did not run.", func(a *app) int64 { return a.counts.refused.Load() }},
		{"party_host_sockets_total", "counter", "WebSockets that were opened to the app.", func(a *app) int64 { return a.counts.sockets.Load() }},
		{"party_host_sockets_open", "gauge", "WebSockets that are open to the app.", func(a *app) int64 { return a.counts.open.Load() }},
	} {
		f := all.get(m.name)
		f.head = []string{"# HELP " + m.name + " " + m.help, "# TYPE " + m.name + " " + m.kind}
		for _, a := range list {
			f.samples = append(f.samples, fmt.Sprintf("%s{app=%q} %d", m.name, a.name, m.value(a)))
		}
	}
}

// scrapeTime bounds how long one app may take to tell its metrics.
const scrapeTime = 3 * time.Second

// appMetrics asks all apps that run, at the same time.
func (h *Host) appMetrics(ctx context.Context, all *families) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTime)
	defer cancel()
	list := h.list()
	texts := make([][]byte, len(list))
	var group sync.WaitGroup
	for n, a := range list {
		if s := a.status().state; s != api.Running && s != api.Deploying {
			continue
		}
		group.Go(func() {
			if status, body, err := a.get(ctx, a.place.adminSocket(), "/metrics"); err == nil && status == http.StatusOK {
				texts[n] = body
			}
		})
	}
	group.Wait()
	for n, a := range list {
		all.add(a.name, texts[n])
	}
}

var (
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})? ([^ ]+)( -?[0-9]+)?$`)
	headLine   = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) `)
	appLabel   = regexp.MustCompile(`[{,]\s*app\s*=`)
)

// add takes the metrics of an app. What it says of other apps, or of the host, is left out, as is what is not in the format.
func (f *families) add(app string, text []byte) {
	current := ""
	for line := range bytes.Lines(text) {
		line := strings.TrimRight(string(line), "\r\n")
		if m := headLine.FindStringSubmatch(line); m != nil {
			current = m[2]
			if strings.HasPrefix(current, hostMetrics) {
				continue
			}
			if fam := f.get(current); len(fam.samples) == 0 && len(fam.head) < 2 {
				fam.head = append(fam.head, line)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if _, err := strconv.ParseFloat(m[3], 64); err != nil || strings.HasPrefix(m[1], hostMetrics) || appLabel.MatchString(m[2]) {
			continue
		}
		if current == "" || !strings.HasPrefix(m[1], current) { // histograms have _bucket, _sum and _count
			current = m[1]
		}
		labels := `{app="` + app + `"}`
		if inner := strings.TrimSuffix(strings.TrimPrefix(m[2], "{"), "}"); inner != "" {
			labels = `{app="` + app + `",` + inner + "}"
		}
		fam := f.get(current)
		fam.samples = append(fam.samples, m[1]+labels+" "+m[3]+m[4])
	}
}

// hostMetrics begins the names of metrics that only the host has.
const hostMetrics = "party_host_"
