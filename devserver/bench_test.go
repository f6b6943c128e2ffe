package devserver

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkReload saves a file and waits until the new code answers on a
// socket that was open before, both ways of building, and says where the time went. The
// medians are what counts: the machine does other things as well.
func BenchmarkReload(b *testing.B) {
	for _, way := range []string{"direct", "go build"} {
		b.Run(way, func(b *testing.B) {
			p := newProject(b)
			o := p.options()
			o.GoBuildOnly = way == "go build"
			p.run(o)
			p.waitReload()
			conn := p.dial("a")
			text, n := `"hello"`, 0
			save := func() (time.Duration, Reload) {
				n++
				next := fmt.Sprintf("%q", fmt.Sprint("v", n))
				begin := time.Now()
				p.edit("server.go", "greeting = "+text, "greeting = "+next)
				text = next
				re := p.waitReload()
				p.say(conn, "x")
				p.hear(conn, fmt.Sprintf("v%d x %d", n, n))
				return time.Since(begin), re
			}
			// Until the plan for direct builds is there.
			for way == "direct" {
				if _, re := save(); re.Direct {
					break
				}
			}
			var answered []time.Duration
			var all []Reload
			for b.Loop() {
				d, re := save()
				answered, all = append(answered, d), append(all, re)
			}
			report := func(name string, of func(Reload) time.Duration) {
				var list []time.Duration
				for _, re := range all {
					list = append(list, of(re))
				}
				b.ReportMetric(float64(median(list).Microseconds())/1000, name)
			}
			b.ReportMetric(float64(median(answered).Microseconds())/1000, "answer-ms")
			report("build-ms", func(r Reload) time.Duration { return r.Go })
			report("compile-ms", func(r Reload) time.Duration { return r.Compile })
			report("link-ms", func(r Reload) time.Duration { return r.Link })
			report("start-ms", func(r Reload) time.Duration { return r.Start })
			report("hand-over-ms", func(r Reload) time.Duration { return r.HandOver })
			report("pause-ms", func(r Reload) time.Duration { return r.Pause })
			if err := p.stop(); err != nil {
				b.Error(err)
			}
		})
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
