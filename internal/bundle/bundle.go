// Package bundle makes browser bundles as "serve.build" of the manifest says, with esbuild.
//
// It is for the tools, party dev and party build. What a deployed binary links must not import it:
// there the bundles are assets like any other.
package bundle

import (
	"context"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// Options say what is bundled. Manifest is required, and has a serve.build.
type Options struct {
	Manifest *manifest.Manifest
	// Host is the host name, with a port if it needs one, that PARTYKIT_HOST and PARTY_HOST stand
	// for in the code. Empty: that of the page itself, location.host.
	Host string
	// Minify counts where the manifest does not say.
	Minify bool
}

// Result is what a build has come to.
type Result struct {
	// Inputs are the files that were bundled, absolute and sorted. They are known even if the build has failed,
	// as far as the last one that has not had them.
	Inputs []string
	// Written and Removed are the outputs that are not what they were, absolute.
	Written, Removed []string
}

// Bundler builds the same bundles again and again, faster from the second time on. Build and Close must
// not be called at the same time.
type Bundler struct {
	manifest *manifest.Manifest
	dir, out string // absolute: what paths are relative to, and where output goes
	context  api.BuildContext
	inputs   []string
}

// New prepares bundles. With errors in the list there is no Bundler.
func New(o Options) (*Bundler, diag.List) {
	dir, err := filepath.Abs(o.Manifest.Dir())
	if err != nil {
		dir = o.Manifest.Dir() // esbuild says what is wrong with it
	}
	b := &Bundler{manifest: o.Manifest, dir: dir, out: filepath.Join(dir, filepath.FromSlash(o.Manifest.Serve.Out()))}
	options, list := b.options(o)
	if list.HasErrors() {
		return nil, list
	}
	context, failed := api.Context(options)
	if failed != nil {
		return nil, append(list, b.diagnostics(diag.Error, failed.Errors)...)
	}
	b.context = context
	b.inputs = b.entries()
	return b, list
}

// Close ends what esbuild keeps running.
func (b *Bundler) Close() { b.context.Dispose() }

// Build brings the bundles up to date. With errors in the list the old ones are still there, untouched. The error
// is that of ctx, or of a file that cannot be written.
func (b *Bundler) Build(ctx context.Context) (Result, diag.List, error) {
	stop := context.AfterFunc(ctx, b.context.Cancel)
	built := b.context.Rebuild()
	stop()
	if err := ctx.Err(); err != nil {
		return Result{Inputs: b.inputs}, nil, err
	}
	list := b.diagnostics(diag.Error, built.Errors)
	list = append(list, b.diagnostics(diag.Warning, built.Warnings)...)
	if len(built.Errors) > 0 {
		return Result{Inputs: b.inputs}, list.Sorted(), nil
	}
	inputs, err := b.readInputs(built.Metafile)
	if err != nil {
		return Result{Inputs: b.inputs}, list, err
	}
	b.inputs = inputs
	b.refuseInputs(&list, built.OutputFiles)
	res := Result{Inputs: inputs}
	if list.HasErrors() {
		return res, list.Sorted(), nil
	}
	res.Written, res.Removed, err = write(b.out, built.OutputFiles)
	return res, list.Sorted(), err
}
