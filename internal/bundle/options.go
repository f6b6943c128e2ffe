package bundle

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/goparty-dev/party/internal/diag"
)

// loaders are esbuild's, by their names.
var loaders = map[string]api.Loader{
	"base64": api.LoaderBase64, "binary": api.LoaderBinary, "copy": api.LoaderCopy, "css": api.LoaderCSS, "dataurl": api.LoaderDataURL,
	"default": api.LoaderDefault, "empty": api.LoaderEmpty, "file": api.LoaderFile, "global-css": api.LoaderGlobalCSS, "js": api.LoaderJS,
	"json": api.LoaderJSON, "jsx": api.LoaderJSX, "local-css": api.LoaderLocalCSS, "text": api.LoaderText, "ts": api.LoaderTS, "tsx": api.LoaderTSX,
}

var formats = map[string]api.Format{"esm": api.FormatESModule, "cjs": api.FormatCommonJS, "iife": api.FormatIIFE}

// options turns the manifest into esbuild's options, and checks what esbuild would complain about without a place.
func (b *Bundler) options(o Options) (api.BuildOptions, diag.List) {
	m, c := o.Manifest, o.Manifest.Serve.Build
	var list diag.List
	for n, entry := range c.Entry {
		if _, err := os.Stat(m.Abs(entry)); errors.Is(err, fs.ErrNotExist) {
			pos := m.Pos("serve", "build", "entry", strconv.Itoa(n))
			if !m.Has("serve", "build", "entry", strconv.Itoa(n)) {
				pos = m.Pos("serve", "build", "entry") // it is a string, not a list
			}
			list.Errorf(pos, "no-entry", "%q does not exist", entry).Hint = "entries are relative to the manifest"
		}
	}
	if m.Serve.Hashed() == "" && !within(m.Abs(m.Serve.Path), b.out) {
		d := list.Warnf(m.Pos("serve", "build", "outdir"), "outdir-outside", "the bundles are not written into the folder of the assets, and so they are not served")
		d.Hint = "move \"outdir\" below " + strconv.Quote(m.Serve.Path)
	}
	loader := make(map[string]api.Loader, len(c.Loader))
	for _, ext := range slices.Sorted(maps.Keys(c.Loader)) {
		name := c.Loader[ext]
		l, ok := loaders[name]
		if !ok {
			d := list.Errorf(m.Pos("serve", "build", "loader", ext), "bad-loader", "there is no loader %q", name)
			if d.Hint = diag.DidYouMean(name, slices.Sorted(maps.Keys(loaders))); d.Hint == "" {
				d.Hint = "there is: " + strings.Join(slices.Sorted(maps.Keys(loaders)), ", ")
			}
		}
		loader[ext] = l
	}
	minify := o.Minify
	if c.Minify != nil {
		minify = *c.Minify
	}
	options := api.BuildOptions{
		EntryPoints: c.Entry, AbsWorkingDir: b.dir, Outdir: b.out, Metafile: true, LogLevel: api.LogLevelSilent,
		Bundle: c.Bundle, Format: formats[c.Format], Platform: api.PlatformBrowser,
		// esbuild can split only these, and splitting is what happens when nobody says anything.
		Splitting:        c.Splitting && c.Bundle && c.Format == "esm",
		MinifyWhitespace: minify, MinifyIdentifiers: minify, MinifySyntax: minify,
		Define: define(o.Host, c.Define), External: c.External, Loader: loader, Alias: c.Alias,
	}
	if c.Sourcemap {
		options.Sourcemap = api.SourceMapLinked
	}
	return options, list
}

// define adds the names of the server to those of the manifest, which win.
func define(host string, own map[string]string) map[string]string {
	value := "location.host"
	if host != "" {
		quoted, err := json.Marshal(host)
		if err != nil {
			panic("bundle: a string that is not JSON: " + err.Error())
		}
		value = string(quoted)
	}
	all := map[string]string{"PARTYKIT_HOST": value, "PARTY_HOST": value}
	maps.Copy(all, own)
	return all
}

// entries are the files to bundle, absolute.
func (b *Bundler) entries() []string {
	var all []string
	for _, e := range b.manifest.Serve.Build.Entry {
		all = append(all, filepath.Join(b.dir, filepath.FromSlash(e)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// within reports whether path is dir or below it.
func within(dir, path string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
