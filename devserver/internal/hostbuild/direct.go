package hostbuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// direct calls the compiler and the linker as the go command would. It
// returns errNotDirect when the plan does not cover what is on disk now, or
// when a tool fails with anything but problems in the source.
func (b *Builder) direct(ctx context.Context, p *plan, bin *Binary) error {
	if !p.holds() {
		return errNotDirect
	}
	b.shop.open(p)
	faces := make(map[string]string) // of the units, by path
	main, jobs := p.units[len(p.units)-1], 0
	start := time.Now()
	for _, u := range p.units[:len(p.units)-1] {
		j, face, err := b.shop.look(u, faces)
		if err != nil {
			return err
		}
		if j != nil {
			if jobs++; jobs > maxUnits {
				return errNotDirect
			}
			archive := b.shop.archiveOf(b.opts.Out)
			if err := b.compile(ctx, p, j, b.shop.exports(faces), archive); err != nil {
				os.Remove(archive)
				return err
			}
			if face, err = b.shop.keep(j, archive); err != nil {
				return errNotDirect
			}
		}
		faces[u.path] = face
	}
	used, ok := main.fits()
	if !ok {
		return errNotDirect
	}
	exports := b.shop.exports(faces)
	archive := bin.Path + ".a"
	defer os.Remove(archive)
	if err := b.compile(ctx, p, &job{unit: main, used: used}, exports, archive); err != nil {
		return err
	}
	bin.Compile = time.Since(start)
	start = time.Now()
	if err := b.link(ctx, p, exports, archive, bin.Path); err != nil {
		return err
	}
	bin.Link = time.Since(start)
	return nil
}

func (b *Builder) compile(ctx context.Context, p *plan, j *job, exports map[string]string, archive string) error {
	cfg := archive + ".importcfg"
	defer os.Remove(cfg)
	if err := writeImportcfg(cfg, exports, func(path string) bool { return j.used[path] }, ""); err != nil {
		return err
	}
	args := []string{
		"-o", archive, "-p", j.unit.path, "-lang=" + j.unit.lang, "-complete", "-goversion", p.env["GOVERSION"],
		"-c=2", "-dwarf=false", "-nolocalimports", "-importcfg", cfg, "-pack",
	}
	out, err := b.run(ctx, p.env.exports(), p.env.tool("compile"), append(args, j.unit.names()...)...)
	if err == nil {
		return nil
	}
	var failed *Failure
	// A compiled package that has left the build cache is not the user's mistake.
	if strings.Contains(out, "could not import") {
		return errNotDirect
	}
	if err := b.failure(out, err); errors.As(err, &failed) && len(failed.Diagnostics) > 0 && failed.Output == "" {
		failed.Direct = true
		return failed
	}
	return errNotDirect
}

func (b *Builder) link(ctx context.Context, p *plan, exports map[string]string, archive, path string) error {
	cfg := archive + ".importcfg"
	defer os.Remove(cfg)
	if err := writeImportcfg(cfg, exports, func(string) bool { return true }, p.modinfo); err != nil {
		return err
	}
	args := []string{"-o", path, "-importcfg", cfg, "-buildmode=exe", "-s", "-w"}
	if p.godebug != "" {
		args = append(args, "-X=runtime.godebugDefault="+p.godebug)
	}
	for _, word := range b.define {
		args = append(args, "-X="+word)
	}
	if _, err := b.run(ctx, p.env.exports(), p.env.tool("link"), append(args, archive)...); err != nil {
		return errNotDirect
	}
	return nil
}

// writeImportcfg tells a tool where compiled packages are.
func writeImportcfg(path string, exports map[string]string, want func(string) bool, modinfo string) error {
	var text strings.Builder
	for _, pkg := range slices.Sorted(maps.Keys(exports)) {
		if want(pkg) {
			fmt.Fprintf(&text, "packagefile %s=%s\n", pkg, exports[pkg])
		}
	}
	if modinfo != "" {
		fmt.Fprintf(&text, "modinfo %q\n", modinfo)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write import configuration: %w", err)
	}
	return nil
}
