package hostbuild

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Packages are the places that a build depends on and that somebody may edit.
type Packages struct {
	// Dirs are the folders of the main package and of every package it imports
	// that is neither of the standard library nor in the module cache.
	Dirs []string
	// Files are others: go.mod and its companions, embedded files.
	Files []string
	// Since is when the scan began: what has changed after it may have been missed.
	Since time.Time
}

// listed is what is asked of go list about a package.
type listed struct {
	ImportPath     string
	Name           string
	Dir            string
	Export         string
	Standard       bool
	DepOnly        bool
	DefaultGODEBUG string
	Module         *struct {
		Path      string
		GoVersion string
		Replace   *struct{ Path string }
	}
	GoFiles, CgoFiles, EmbedFiles, EmbedPatterns []string
	CFiles, CXXFiles, MFiles, HFiles, FFiles     []string
	SFiles, SwigFiles, SwigCXXFiles, SysoFiles   []string
	Imports                                      []string
	ImportMap                                    map[string]string
	Error                                        *struct{ Err string }
	DepsErrors                                   []struct{ Err string }
}

const fields = "ImportPath,Name,Dir,Export,Standard,DepOnly,DefaultGODEBUG,Module,GoFiles,CgoFiles,EmbedFiles,EmbedPatterns," +
	"CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles,Imports,ImportMap,Error,DepsErrors"

// foreign reports whether there are files that the Go compiler alone cannot take.
func (p *listed) foreign() bool {
	for _, files := range [][]string{
		p.CgoFiles, p.EmbedFiles, p.EmbedPatterns, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles,
		p.SFiles, p.SwigFiles, p.SwigCXXFiles, p.SysoFiles,
	} {
		if len(files) > 0 {
			return true
		}
	}
	return false
}

// Scan finds the packages that the build consists of. After a Build that went
// through the go command it also makes the next one fast, if that is possible;
// it may take a second then and does its work best while nobody waits. Packages that
// do not compile are no error.
func (b *Builder) Scan(ctx context.Context) (Packages, error) {
	found := Packages{Since: time.Now()}
	env, err := b.goEnv(ctx)
	if err != nil {
		return found, err
	}
	args := append([]string{"list", "-e", "-deps", "-export", "-json=" + fields}, buildFlags(env)...)
	out, err := b.run(ctx, nil, b.opts.Go, append(args, ".")...)
	if err != nil {
		return found, b.failure(out, err)
	}
	var pkgs []*listed
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		p := new(listed)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return found, fmt.Errorf("read go list: %w", err)
		}
		pkgs = append(pkgs, p)
	}

	cache := env["GOMODCACHE"] + string(filepath.Separator)
	for _, p := range pkgs {
		if p.Standard || p.Dir == "" || strings.HasPrefix(p.Dir, cache) {
			continue
		}
		found.Dirs = append(found.Dirs, p.Dir)
		for _, f := range p.EmbedFiles {
			found.Files = append(found.Files, filepath.Join(p.Dir, f))
		}
	}
	found.Files = append(found.Files, env.files()...)
	slices.Sort(found.Dirs)
	slices.Sort(found.Files)

	plan, err := b.makePlan(env, pkgs, found)
	if err == nil {
		b.mu.Lock()
		b.plan = plan
		b.mu.Unlock()
	} else if !errors.Is(err, errNotDirect) {
		return found, err
	}
	return found, nil
}
