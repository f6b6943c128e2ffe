package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/goparty-dev/party/internal/bundle"
)

// bundleForProgram bundles the browser code that goes into a program. It runs before the
// generator, which looks at what there is to embed.
func (p *project) bundleForProgram(ctx context.Context, s *streams) error {
	if p.manifest.Serve.Build == nil {
		return nil
	}
	b, list := bundle.New(bundle.Options{Manifest: p.manifest, Host: p.manifest.Deploy.Domain, Minify: true})
	if list.HasErrors() {
		return list.Sorted()
	}
	defer b.Close()
	_, more, err := b.Build(ctx)
	list = append(list, more...).Sorted()
	switch {
	case ctx.Err() != nil:
		return errors.New("the build was interrupted")
	case err != nil:
		return fmt.Errorf("bundle: %w", err)
	case list.HasErrors():
		return list
	}
	s.report(list)
	return nil
}
