package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/goparty-dev/party/internal/bundle"
)

// bundleForProgram bundles the browser code that goes into a program, and returns the files that it
// is made from. It runs before the generator, which looks at what there is to embed.
func (p *project) bundleForProgram(ctx context.Context, s *streams) (inputs []string, err error) {
	if p.manifest.Serve.Build == nil {
		return nil, nil
	}
	b, list := bundle.New(bundle.Options{Manifest: p.manifest, Host: p.manifest.Deploy.Domain, Minify: true})
	if list.HasErrors() {
		return nil, list.Sorted()
	}
	defer b.Close()
	res, more, err := b.Build(ctx)
	list = append(list, more...).Sorted()
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("the build was interrupted")
	case err != nil:
		return nil, fmt.Errorf("bundle: %w", err)
	case list.HasErrors():
		return nil, list
	}
	s.report(list)
	return res.Inputs, nil
}
