package hostbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/buildstep"
	"github.com/goparty-dev/party/internal/diag"
)

// Tag is the build tag that makes a program a host: it serves the link and
// nothing else, and links neither the platform nor an engine.
const Tag = "party_host"

// Options say what is built and where to. Dir and Out are required.
type Options struct {
	// Dir is the main package's folder, absolute.
	Dir string
	// Out is a folder that belongs to the builder; it is emptied and made anew.
	Out string
	// Go is the go command. Default "go".
	Go string
	// Env is the environment of the tools. Default os.Environ().
	Env []string
	// GoBuildOnly never calls the compiler directly.
	GoBuildOnly bool
}

// Binary is a host that was built.
type Binary struct {
	// Path of the executable; the caller removes it when it is of no more use.
	Path string
	// Direct says that compiler and linker were called without the go command.
	Direct bool
	// Build is the time it took as a whole; Compile and Link are parts of it,
	// known only when Direct.
	Build, Compile, Link time.Duration
}

// Failure is why a package could not be built.
type Failure struct {
	// Diagnostics are the problems in the source.
	Diagnostics diag.List
	// Output is what the tools said besides; it may be empty.
	Output string
	// Direct says that the go command was not asked.
	Direct bool
}

func (f *Failure) Error() string {
	switch {
	case len(f.Diagnostics) == 1:
		return "build: " + f.Diagnostics[0].Message
	case len(f.Diagnostics) > 1:
		return fmt.Sprintf("build: %d problems", len(f.Diagnostics))
	}
	line, _, _ := strings.Cut(f.Output, "\n")
	return "build: " + line
}

// Builder builds one package again and again. Build runs once at a time;
// Scan may run beside it.
type Builder struct {
	// set by New, then read-only
	opts Options

	// owned by Build
	count  int
	shop   workshop
	define []string

	mu   sync.Mutex
	env  goEnv // guarded by mu; nil: not asked yet
	plan *plan // guarded by mu; nil: take the go command
}

// New prepares a builder and its output folder. It runs no tool.
func New(opts Options) (*Builder, error) {
	if opts.Go == "" {
		opts.Go = "go"
	}
	if opts.Env == nil {
		opts.Env = os.Environ()
	}
	if err := os.RemoveAll(opts.Out); err != nil {
		return nil, fmt.Errorf("empty the build folder: %w", err)
	}
	if err := os.MkdirAll(opts.Out, 0o755); err != nil {
		return nil, fmt.Errorf("make the build folder: %w", err)
	}
	return &Builder{opts: opts}, nil
}

// Folder is where the binaries are.
func (b *Builder) Folder() string { return b.opts.Out }

// Define has the linker of later builds fix strings, each given as name=value. It must not run beside Build.
func (b *Builder) Define(words []string) { b.define = words }

// Build makes a host binary. The error is a *Failure when the package does
// not compile or link, and ctx's error when it was cancelled; a build that was
// cancelled has left no process behind.
func (b *Builder) Build(ctx context.Context) (*Binary, error) {
	b.count++
	start := time.Now()
	bin := &Binary{Path: filepath.Join(b.opts.Out, fmt.Sprintf("host-%d", b.count))}

	err := errNotDirect
	if p := b.current(); p != nil {
		err = b.direct(ctx, p, bin)
		bin.Direct = err == nil
	}
	if errors.Is(err, errNotDirect) && ctx.Err() == nil {
		err = b.goBuild(ctx, bin)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		os.Remove(bin.Path)
		return nil, err
	}
	bin.Build = time.Since(start)
	return bin, nil
}

// goBuild is the way that is always right.
func (b *Builder) goBuild(ctx context.Context, bin *Binary) error {
	env, err := b.cachedEnv(ctx)
	if err != nil {
		return err
	}
	args := append([]string{"build"}, buildFlags(env)...)
	args = append(args, "-ldflags="+buildstep.LinkFlags(b.define), "-o", bin.Path, ".")
	if out, err := b.run(ctx, nil, b.opts.Go, args...); err != nil {
		return b.failure(out, err)
	}
	return nil
}

// buildFlags are what go build and go list must agree on, so that the plan
// names the packages that the build has made. The user's own tags are kept,
// a -tags flag would replace them; a profile would only make dev builds slower.
func buildFlags(env goEnv) []string {
	return []string{"-tags", env.tags(), "-buildvcs=false", "-pgo=off"}
}

// cachedEnv spares most builds the question.
func (b *Builder) cachedEnv(ctx context.Context) (goEnv, error) {
	b.mu.Lock()
	env := b.env
	b.mu.Unlock()
	if env != nil {
		return env, nil
	}
	return b.goEnv(ctx)
}

// failure makes what a tool printed into the error of a build.
func (b *Builder) failure(out string, err error) error {
	if strings.TrimSpace(out) == "" {
		return fmt.Errorf("build: %w", err)
	}
	list, rest := diag.ParseGo(out, b.opts.Dir)
	return &Failure{Diagnostics: list, Output: strings.TrimSpace(rest)}
}

func (b *Builder) current() *plan {
	if b.opts.GoBuildOnly {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plan
}
