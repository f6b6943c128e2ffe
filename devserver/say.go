package devserver

import (
	"fmt"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hostproc"
)

// show tells the user something, and does what comes with it.
func (s *server) show(n notice) {
	switch n := n.(type) {
	case buildFailed:
		s.sayFailure(n)
		s.scan(s.state.build)
	case crashed:
		s.sayCrash(n)
	case bundlesMade:
		s.sayBundles(n)
	case running:
		s.sayRunning(n)
	default:
		panic("devserver: a notice that nobody shows")
	}
}

func (s *server) renderer() diag.Renderer {
	return diag.Renderer{Source: diag.Files(), Dir: s.cwd, Color: s.console.Color()}
}

func (s *server) sayFailure(n buildFailed) {
	var b strings.Builder
	c := s.console
	if r := n.Failure.Start; r != nil {
		fmt.Fprintf(&b, "%s\n", c.Bad("the new code ended before it could take over: it "+r.Summary))
		b.WriteString(s.frame(r))
	} else {
		b.WriteString(s.renderer().String(n.Failure.Diagnostics))
		if n.Failure.Output != "" {
			fmt.Fprintln(&b, n.Failure.Output)
		}
		b.WriteString(c.Bad("build failed") + "\n")
	}
	if n.Serving {
		b.WriteString("the code before this change goes on serving")
	} else {
		b.WriteString("waiting for a change")
	}
	c.Line(b.String())
}

// sayBundles reports bundles that could not be made, or can be again. When all is well
// there is nothing to say: pages are loaded again.
func (s *server) sayBundles(n bundlesMade) {
	c := s.console
	switch {
	case n.Failure != nil:
		text := s.renderer().String(n.Failure.Diagnostics)
		if n.Failure.Output != "" {
			text += n.Failure.Output + "\n"
		}
		c.Line(text + c.Bad("bundling the browser code failed") + "\nwhat was bundled before goes on being served")
	case n.Mended:
		c.Line(c.Good("the browser code is bundled again"))
	}
	text := strings.TrimRight(s.renderer().String(n.Warnings), "\n")
	if text != s.lastBundleWarning && text != "" {
		c.Line(text)
	}
	s.lastBundleWarning = text
}

func (s *server) sayCrash(n crashed) {
	c := s.console
	r := &n.Crash.Reason
	text := c.Bad("your program "+verb(r)+": it "+r.Summary) + c.Faint(" after "+span(r.Uptime)) + "\n" + s.frame(r)
	switch {
	case n.Replaced:
		text += "newer code is on its way; sockets stay open, requests wait"
	case n.Crash.Delay == 0:
		text += "starting it again; sockets stay open, requests wait"
	default:
		text += "starting it again in " + span(n.Crash.Delay) + "; sockets stay open, requests wait"
	}
	c.Line(text)
}

// frame shows the line of the user's code that a panic came from.
func (s *server) frame(r *hostproc.Reason) string {
	switch {
	case r.Panic == "":
		return ""
	case r.Pos.Line == 0:
		return r.Panic + "\n"
	}
	return s.renderer().String(diag.List{{Pos: r.Pos, Message: r.Panic, Hint: "in " + r.Func}})
}

// sayRunning reports new code, and clears up after the old.
func (s *server) sayRunning(n running) {
	c, h := s.console, s.hosts[n.Host]
	now := time.Now()
	sum := s.handOver()
	b := h.build
	re := Reload{
		Build: b.number, Total: now.Sub(b.at), Generate: b.generate, Compile: b.bin.Compile, Link: b.bin.Link, Go: b.bin.Build,
		Start: h.up.Sub(h.begun), HandOver: now.Sub(h.adopted), Pause: sum.Pause,
		Direct: b.bin.Direct, Rooms: sum.Rooms, Sockets: sum.Sessions,
	}
	if h.why == restart {
		re.Restart, re.Total = true, now.Sub(h.begun)
		re.Generate, re.Compile, re.Link, re.Go = 0, 0, 0, 0
	}

	var text string
	switch h.why {
	case firstStart:
		text = c.Good("ready") + fmt.Sprintf(" in %s", span(re.Total)) + c.Faint(fmt.Sprintf(" (generate %s, build %s, start %s)", span(re.Generate), span(re.Go), span(re.Start)))
	case reload:
		text = c.Good("reloaded") + fmt.Sprintf(" in %s", span(re.Total)) +
			c.Faint(fmt.Sprintf(" (generate %s, build %s, start %s, hand-over %s)", span(re.Generate), span(re.Go), span(re.Start), span(re.HandOver))) +
			fmt.Sprintf(", %s, %s kept", count(re.Rooms, "room"), count(re.Sockets, "socket"))
	case restart:
		text = c.Good("running again") + fmt.Sprintf(", started in %s", span(re.Start))
	}
	s.sayWarnings(b.warnings)
	c.Line(text + s.newRoutes(h))

	s.dropBuilds(b.number)
	s.scan(b.number)
	s.board.reloaded(&re)
	if s.opts.Reloaded != nil {
		s.opts.Reloaded(re)
	}
}

// sayWarnings prints warnings, unless they were there the last time.
func (s *server) sayWarnings(list diag.List) {
	text := strings.TrimRight(s.renderer().String(list.Sorted()), "\n")
	if text != s.lastWarning && text != "" {
		s.console.Line(text)
	}
	s.lastWarning = text
}

// newRoutes lists the URLs of rooms if they are not those printed last.
func (s *server) newRoutes(h *hosted) string {
	c, prefix := s.console, s.opened.Prefix
	var b strings.Builder
	for _, p := range h.link.Info().Parties {
		fmt.Fprintf(&b, "\n  %s  %s", c.Bold(p.Name), c.Link(fmt.Sprintf("%s/%s/%s/:room", s.url, prefix, p.Name)))
		if p.Main {
			b.WriteString(c.Faint(", also /party/:room"))
		}
	}
	if b.String() == s.routes {
		return ""
	}
	s.routes = b.String()
	return s.routes
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// span writes a duration the way one would say it.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
