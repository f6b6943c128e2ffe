// Package sbom says what a built server is made of: a software bill of materials in CycloneDX's JSON, with
// the Go modules that the linker has recorded in the binary and the npm packages that were bundled for the browser.
//
// The same inputs give the same bytes. The package builds nothing and looks nothing up on a network: what it does not know
// (licenses, above all) it leaves out.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"golang.org/x/mod/modfile"
)

// MediaType is what Make returns.
const MediaType = "application/vnd.cyclonedx+json"

// Options of a bill. Binary and Name are required.
type Options struct {
	Binary  string   // file of a program that Go has built
	Name    string   // of the program
	Tool    string   // version of what makes the bill
	Bundled []string // files that went into browser code, absolute; those in a node_modules count
	// Created is written into the bill unless it is zero.
	Created time.Time
}

// Make makes the bill, CycloneDX 1.6. Modules that were replaced by a folder have no version that anybody
// could look up: they are listed as they were required, and marked.
func Make(o Options) ([]byte, error) {
	info, err := buildinfo.ReadFile(o.Binary)
	if err != nil {
		return nil, fmt.Errorf("read what %s is made of: %w", o.Binary, err)
	}
	sum, err := hash(o.Binary)
	if err != nil {
		return nil, fmt.Errorf("read what %s is made of: %w", o.Binary, err)
	}
	npm, err := packages(o.Bundled)
	if err != nil {
		return nil, fmt.Errorf("read what was bundled: %w", err)
	}

	main := cdx.Component{
		BOMRef: "program", Type: cdx.ComponentTypeApplication, Name: o.Name, Version: info.Main.Version,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}},
		Properties: settings(info),
	}
	parts := []cdx.Component{{
		BOMRef: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), Type: cdx.ComponentTypeLibrary, Name: "std",
		Version: info.GoVersion, PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"),
	}}
	for _, m := range info.Deps {
		parts = append(parts, module(m))
	}
	for _, p := range npm {
		parts = append(parts, p.component())
	}
	slices.SortFunc(parts, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	refs := make([]string, len(parts))
	for n, p := range parts {
		refs[n] = p.BOMRef
	}

	bom := cdx.NewBOM()
	bom.SerialNumber = serial(sum)
	bom.Metadata = &cdx.Metadata{
		Component: &main,
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "party", Version: o.Tool}}},
	}
	if !o.Created.IsZero() {
		bom.Metadata.Timestamp = o.Created.UTC().Format(time.RFC3339)
	}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("write what %s is made of: %w", o.Binary, err)
	}
	return out.Bytes(), nil
}

// settings are what the program was built with that changes what is in it.
func settings(info *buildinfo.BuildInfo) *[]cdx.Property {
	var out []cdx.Property
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-tags", "vcs.revision", "vcs.time", "vcs.modified":
			out = append(out, cdx.Property{Name: "go:" + strings.TrimPrefix(s.Key, "-"), Value: s.Value})
		}
	}
	return &out
}

func module(m *debug.Module) cdx.Component {
	var properties []cdx.Property
	used := m
	if r := m.Replace; r != nil {
		// A folder has no version. Its path is of the machine that has built, and nobody's business.
		if modfile.IsDirectoryPath(r.Path) {
			properties = append(properties, cdx.Property{Name: "go:replaced", Value: "folder"})
		} else {
			properties = append(properties, cdx.Property{Name: "go:replaces", Value: m.Path + "@" + m.Version})
			used = r
		}
	}
	if used.Sum != "" {
		properties = append(properties, cdx.Property{Name: "go:sum", Value: used.Sum})
	}
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: used.Path, Version: used.Version, PackageURL: "pkg:golang/" + escape(used.Path) + "@" + escape(used.Version)}
	c.BOMRef = c.PackageURL
	if len(properties) > 0 {
		c.Properties = &properties
	}
	return c
}

// escape makes a part of a package URL of a module's path or version.
func escape(s string) string {
	return strings.NewReplacer("%", "%25", "+", "%2B", "@", "%40").Replace(s)
}

// serial names the bill by what it is about: a UUID of version 8 (RFC 9562, 5.8) from the binary's hash.
func serial(sum []byte) string {
	id := slices.Clone(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func hash(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
