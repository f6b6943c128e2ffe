//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type reloadOptions struct {
	edits   int
	command string // party binary; empty: build it
}

// warmEdits are not counted: the first builds fill caches.
const warmEdits = 2

// betweenEdits is less than people take from one save to the next, and leaves
// party dev the time to get ready for it.
const betweenEdits = 2 * time.Second

// reloadTimeout bounds how long new code may take to answer.
const reloadTimeout = 60 * time.Second

// reloads measures party dev on the scaffold of party init: from saving
// server.go until the new code answers a request, and a message on a socket
// that was open all the time. The socket sends the whole time, and every
// message must be answered once, in order. Nothing is pinned: the compiler gets all CPUs.
func (b *bench) reloads(ctx context.Context) (err error) {
	party := b.reload.command
	if party == "" {
		prog, err := build(ctx, b.dir, "party", "cmd/party")
		if err != nil {
			return err
		}
		party = prog.path
	}
	project := filepath.Join(b.dir, "project")
	if out, err := exec.CommandContext(ctx, party, "init", project).CombinedOutput(); err != nil {
		return fmt.Errorf("party init: %w\n%s", err, out)
	}
	source, err := newSource(filepath.Join(project, "server.go"))
	if err != nil {
		return err
	}
	dev, err := startDev(ctx, party, project)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.stop()) }()
	talk, err := dialTalk(ctx, "ws"+strings.TrimPrefix(dev.url, "http")+"/parties/chat/bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, talk.close()) }()

	var all []reload
	for n := range warmEdits + b.reload.edits {
		fmt.Fprintf(b.progress, "reload, edit %d of %d\n", n+1, warmEdits+b.reload.edits)
		r, err := dev.edit(ctx, source, talk)
		if err != nil {
			return fmt.Errorf("edit %d: %w\n%s", n+1, err, dev.said())
		}
		if n >= warmEdits {
			all = append(all, r)
		}
	}
	b.reportReloads(all)
	return nil
}

// reload is one edit, in milliseconds since the file was saved.
type reload struct {
	request, message float64 // until the new code answered
	wait             float64 // longest time that a message waited for its answer meanwhile
	// Requests that were sent meanwhile, and those that were not answered with 200.
	requests, refused int
	phases            phases
}

// phases are what party dev itself says, under /_party/status.
type phases struct {
	Build                                               int
	Generate, Go, Compile, Link, Start, HandOver, Pause float64
	Direct                                              bool
}

func (b *bench) reportReloads(all []reload) {
	of := func(value func(reload) float64) (values []float64) {
		for _, r := range all {
			values = append(values, value(r))
		}
		return values
	}
	add := func(name string, limit float64, value func(reload) float64) {
		values := of(value)
		r := row{name: name, unit: "ms", ours: millis(median(values)), remark: spread(values)}
		if limit > 0 {
			r.target, r.verdict = fmt.Sprintf("< %g ms", limit), verdict(median(values) < limit)
		}
		b.table.add(r)
	}
	add("reload-request", 700, func(r reload) float64 { return r.request })
	add("reload-message", 700, func(r reload) float64 { return r.message })
	add("reload-pause", 50, func(r reload) float64 { return r.phases.Pause })
	add("reload-longest-wait", 0, func(r reload) float64 { return r.wait })
	refused, requests := 0, 0
	for _, r := range all {
		refused, requests = refused+r.refused, requests+r.requests
	}
	b.table.add(row{
		name: "reload-refused", unit: "requests", ours: fmt.Sprint(refused), target: "0",
		verdict: verdict(refused == 0), remark: fmt.Sprintf("of %d", requests),
	})
	phase := func(value func(phases) float64) string {
		return millis(median(of(func(r reload) float64 { return value(r.phases) }))) + " ms"
	}
	direct := 0
	for _, r := range all {
		if r.phases.Direct {
			direct++
		}
	}
	b.table.note(fmt.Sprintf("reload: medians of %d edits of the scaffold; party dev says: generate %s, build %s (compile %s, link %s; without the go command %d times), start %s, hand-over %s, pause %s",
		len(all),
		phase(func(p phases) float64 { return p.Generate }), phase(func(p phases) float64 { return p.Go }),
		phase(func(p phases) float64 { return p.Compile }), phase(func(p phases) float64 { return p.Link }), direct,
		phase(func(p phases) float64 { return p.Start }), phase(func(p phases) float64 { return p.HandOver }),
		phase(func(p phases) float64 { return p.Pause })))
}

// devServer is a running party dev.
type devServer struct {
	cmd *exec.Cmd
	log string // file
	url string
}

func startDev(ctx context.Context, party, project string) (*devServer, error) {
	d := &devServer{cmd: exec.CommandContext(ctx, party, "dev", "server.go", "--port", "0", "--no-hotkeys"), log: project + ".log"}
	log, err := os.Create(d.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr = project, log, log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	err = poll(ctx, func() (bool, error) {
		if d.url == "" {
			_, rest, _ := strings.Cut(d.said(), "http://")
			if address, _, ok := strings.Cut(rest, "\n"); ok {
				d.url = "http://" + strings.TrimSpace(address)
			}
			return false, nil
		}
		var s struct{ Serving bool }
		return d.status(ctx, &s) == nil && s.Serving, nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("party dev does not serve: %w\n%s", err, d.said()), d.stop())
	}
	return d, nil
}

// said returns what the dev server has printed.
func (d *devServer) said() string {
	text, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (d *devServer) stop() error {
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("party dev has ended: %w\n%s", err, d.said())
	}
	late := time.AfterFunc(startTimeout, func() { d.cmd.Process.Kill() })
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil {
		return fmt.Errorf("party dev: %w\n%s", err, d.said())
	}
	return nil
}

func (d *devServer) status(ctx context.Context, v any) error {
	body, err := get(ctx, d.url+"/_party/status")
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// edit saves new code and measures until it answers.
func (d *devServer) edit(ctx context.Context, source *source, talk *talk) (reload, error) {
	select {
	case <-time.After(betweenEdits):
	case <-ctx.Done():
		return reload{}, ctx.Err()
	}
	version, text := source.next()
	answered := talk.expect(version)
	began := time.Now()
	if err := os.WriteFile(source.file, text, 0o644); err != nil {
		return reload{}, err
	}
	var r reload
	err := poll(ctx, func() (bool, error) {
		body, err := get(ctx, d.url+"/parties/chat/bench")
		if r.requests++; errors.Is(err, errRefused) {
			r.refused++
			return false, nil
		}
		return string(body) == version, err
	})
	if err != nil {
		return reload{}, fmt.Errorf("request: %w", err)
	}
	r.request = milliseconds(time.Since(began))
	select {
	case a := <-answered:
		if a.err != nil {
			return reload{}, fmt.Errorf("socket: %w", a.err)
		}
		r.message, r.wait = milliseconds(a.at.Sub(began)), milliseconds(a.wait)
	case <-time.After(reloadTimeout):
		return reload{}, errors.New("socket: no answer of the new code in time")
	case <-ctx.Done():
		return reload{}, ctx.Err()
	}
	err = poll(ctx, func() (bool, error) {
		var s struct{ Reload phases }
		err := d.status(ctx, &s)
		r.phases = s.Reload
		return s.Reload.Build == source.edits+1, err // the first build was before any edit
	})
	return r, err
}

// poll asks every two milliseconds until the answer is yes.
func poll(ctx context.Context, ask func() (bool, error)) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(reloadTimeout); time.Now().Before(end); {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("no answer in time")
}

var errRefused = errors.New("request refused")

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s: %s", errRefused, resp.Status, body)
	}
	return body, err
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
