package hostbuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// direct calls the compiler and the linker as the go command would. It
// returns errNotDirect when the plan does not cover what is on disk now, or
// when a tool fails with anything but problems in the source.
func (b *Builder) direct(ctx context.Context, p *plan, bin *Binary) error {
	if !p.holds(b.opts.Dir) {
		return errNotDirect
	}
	names := slices.Sorted(maps.Keys(p.files))
	used := map[string]bool{}
	for _, name := range names {
		now, err := readHeader(filepath.Join(b.opts.Dir, name))
		if err != nil || !p.files[name].sameBuild(now, p.imports) {
			return errNotDirect
		}
		for _, path := range now.imports {
			used[path] = true
		}
	}

	archive := bin.Path + ".a"
	defer os.Remove(archive)
	start := time.Now()
	if err := b.compile(ctx, p, names, used, archive); err != nil {
		return err
	}
	bin.Compile = time.Since(start)
	start = time.Now()
	if err := b.link(ctx, p, archive, bin.Path); err != nil {
		return err
	}
	bin.Link = time.Since(start)
	return nil
}

func (b *Builder) compile(ctx context.Context, p *plan, names []string, used map[string]bool, archive string) error {
	cfg := archive + ".importcfg"
	defer os.Remove(cfg)
	if err := writeImportcfg(cfg, p.exports, func(path string) bool { return used[path] }, ""); err != nil {
		return err
	}
	args := []string{
		"-o", archive, "-p", "main", "-lang=" + p.lang, "-complete", "-goversion", p.env["GOVERSION"],
		"-c=2", "-dwarf=false", "-nolocalimports", "-importcfg", cfg, "-pack",
	}
	for _, name := range names {
		args = append(args, "./"+name)
	}
	out, err := b.run(ctx, p.env.exports(), p.env.tool("compile"), args...)
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

func (b *Builder) link(ctx context.Context, p *plan, archive, path string) error {
	cfg := archive + ".importcfg"
	defer os.Remove(cfg)
	if err := writeImportcfg(cfg, p.exports, func(string) bool { return true }, p.modinfo); err != nil {
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
