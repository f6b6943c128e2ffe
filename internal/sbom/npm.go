package sbom

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// npmPackage is what stands in a package.json.
type npmPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

func (p npmPackage) component() cdx.Component {
	url := "pkg:npm/" + escape(p.Name) + "@" + escape(p.Version)
	return cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: url}
}

// packages are those that files belong to, each version once, sorted.
func packages(files []string) ([]npmPackage, error) {
	folders := make(map[string]bool)
	for _, f := range files {
		if dir := packageFolder(filepath.ToSlash(f)); dir != "" {
			folders[filepath.FromSlash(dir)] = true
		}
	}
	found := make(map[npmPackage]bool)
	for dir := range folders {
		data, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			return nil, err
		}
		var p npmPackage
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(filepath.Base(dir), "package.json"), err)
		}
		if p.Name == "" || p.Version == "" {
			return nil, fmt.Errorf("%s: no name or no version", filepath.Join(filepath.Base(dir), "package.json"))
		}
		found[p] = true
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b npmPackage) int {
		return strings.Compare(a.Name+"@"+a.Version, b.Name+"@"+b.Version)
	}), nil
}

// packageFolder is the folder of the package that a file belongs to, with slashes; "" if it is the project's own.
func packageFolder(file string) string {
	const mark = "/node_modules/"
	at := strings.LastIndex(file, mark)
	if at < 0 {
		return ""
	}
	parts := strings.SplitN(file[at+len(mark):], "/", 3)
	n := 1
	if strings.HasPrefix(parts[0], "@") {
		n = 2
	}
	if len(parts) <= n {
		return "" // a file beside the packages
	}
	return file[:at+len(mark)] + strings.Join(parts[:n], "/")
}
