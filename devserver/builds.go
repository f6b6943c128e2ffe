package devserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/goparty-dev/party/devserver/internal/hostbuild"
	"github.com/goparty-dev/party/internal/buildstep"
	"github.com/goparty-dev/party/internal/diag"
)

// build is one way from files to a binary. It is filled by its own goroutine and then read-only.
type build struct {
	number   int
	at       time.Time // when the change was noticed
	begun    time.Time
	generate time.Duration
	ended    time.Time
	config   *config
	warnings diag.List
	bin      *hostbuild.Binary // nil if it has failed
	viaGo    bool              // the go command was asked, so the packages may be others
}

// buildTask is a build that was begun.
type buildTask struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// beginBuild starts a build when the one before it, which is cancelled, has ended.
func (s *server) beginBuild(number int) {
	before := s.lastBuild
	if before.cancel != nil {
		before.cancel()
	}
	ctx, cancel := context.WithCancel(s.building)
	s.lastBuild = buildTask{cancel, make(chan struct{})}
	done, b := s.lastBuild.done, &build{number: number, at: s.at}
	s.tasks.Go(func() {
		defer close(done)
		defer cancel()
		if before.done != nil {
			<-before.done
		}
		failed := s.makeBuild(ctx, b)
		if ctx.Err() != nil {
			if b.bin != nil {
				_ = os.Remove(b.bin.Path) // else the end of the run takes it away
			}
			return
		}
		s.mu.Lock()
		s.builds[number] = b
		s.mu.Unlock()
		if failed != nil {
			s.send(broke{number, *failed})
		} else {
			s.send(built{number})
		}
	})
}

// makeBuild runs the stages of a build until one fails.
func (s *server) makeBuild(ctx context.Context, b *build) *failure {
	b.begun = time.Now()
	defer func() { b.ended = time.Now() }()
	s.manifest.read(s.opts.Manifest)
	var list diag.List
	if b.config, list = loadConfig(&s.opts); b.config == nil {
		return &failure{Diagnostics: list.Sorted()}
	}
	if failed := s.runCommand(b.config.manifest); failed != nil || ctx.Err() != nil {
		return failed
	}
	define, wrong := buildstep.Definitions(b.config.manifest)
	if wrong.HasErrors() {
		return &failure{Diagnostics: wrong.Sorted()}
	}
	s.builder.Define(define)
	if s.opts.Generate != nil {
		start := time.Now()
		var g GenerateResult
		var err error
		s.manifest.while(func() []byte {
			g, err = s.opts.Generate(ctx)
			return g.Manifest
		})
		b.generate = time.Since(start)
		if err != nil {
			return &failure{Output: "generate: " + err.Error()}
		}
		s.watchInputs(g.Inputs, g.Searched)
		if g.Diagnostics.HasErrors() {
			return &failure{Diagnostics: g.Diagnostics.Sorted()}
		}
		if g.Manifest != nil { // it says more than before
			if b.config, list = loadConfig(&s.opts); b.config == nil {
				return &failure{Diagnostics: list.Sorted()}
			}
		}
		list = append(list, g.Diagnostics...)
	}
	b.warnings = list
	if ctx.Err() != nil {
		return nil
	}
	bin, err := s.builder.Build(ctx)
	if err != nil {
		b.viaGo = true
		if failed, ok := errors.AsType[*hostbuild.Failure](err); ok {
			b.viaGo = !failed.Direct
			return &failure{Diagnostics: failed.Diagnostics, Output: failed.Output}
		}
		return &failure{Output: err.Error()}
	}
	b.bin, b.viaGo = bin, !bin.Direct
	return nil
}

// buildOf returns a build that has ended.
func (s *server) buildOf(number int) *build {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.builds[number]
}

// scans are the looks at the packages that follow builds.
type scans struct {
	running bool
	again   bool
	since   time.Time // when the first build began that has not been scanned for
}

// scan finds out what packages there are, after a build that asked the go command. It waits for
// nobody: what it finds makes later builds faster and tells what to watch.
func (s *server) scan(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.builds[number]
	if b == nil || !b.viaGo {
		return
	}
	b.viaGo = false // once is enough
	if s.scans.running {
		if !s.scans.again {
			s.scans.again, s.scans.since = true, b.begun
		}
		return
	}
	s.scans.running = true
	s.tasks.Go(func() { s.runScans(b.begun) })
}

func (s *server) runScans(since time.Time) {
	for {
		found, err := s.builder.Scan(s.building)
		if err != nil && s.building.Err() == nil {
			s.log.Debug("scan packages", "err", err)
		} else if err == nil {
			s.watchPackages(found, since)
		}
		s.mu.Lock()
		if !s.scans.again {
			s.scans.running = false
			s.mu.Unlock()
			return
		}
		s.scans.again, since = false, s.scans.since
		s.mu.Unlock()
	}
}

// dropBuilds removes what is older than the build that serves.
func (s *server) dropBuilds(serving int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, b := range s.builds {
		if n >= serving {
			continue
		}
		delete(s.builds, n)
		if b.bin != nil {
			_ = os.Remove(b.bin.Path) // else the end of the run takes it away
		}
	}
}

// buildFolder is where this run keeps its binaries. Those of runs that were killed are removed.
func buildFolder(project string) string {
	all := filepath.Join(project, ".party", "build")
	entries, err := os.ReadDir(all)
	if err != nil {
		entries = nil // there is nothing to remove
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || alive(pid) {
			continue
		}
		_ = os.RemoveAll(filepath.Join(all, e.Name())) // it is in nobody's way
	}
	return filepath.Join(all, strconv.Itoa(os.Getpid()))
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
