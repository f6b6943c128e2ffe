//go:build !party_host

package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/release"
	party "github.com/goparty-dev/party/runtime"
)

// modulePath is this module, to find its version in a program that uses it.
const modulePath = "github.com/goparty-dev/party"

func runVersion(v *invocation) int {
	set := v.flagSet("version", "")
	asJSON := set.Bool("json", false, "as JSON")
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	b := thisBuild()
	if *asJSON {
		enc := json.NewEncoder(v.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(b); err != nil {
			return v.fail(err)
		}
		return 0
	}
	fmt.Fprintf(v.stdout, "%s %s\n", b.Name, b.Label())
	if b.Time != "" {
		fmt.Fprintf(v.stdout, "commit of  %s\n", b.Time)
	}
	fmt.Fprintf(v.stdout, "party      %s, generated code %d, link %d\n", b.Party, b.Runtime, b.Link)
	fmt.Fprintf(v.stdout, "go         %s %s\n", b.Go, b.System)
	return 0
}

// thisBuild describes the program that runs.
func thisBuild() release.Build {
	b := release.Build{
		Name: programName(), Version: "devel", Party: "devel", Runtime: party.GeneratedVersion, Link: stream.Version,
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if m, list := manifest.Parse("party.json", embedded.manifest); embedded.manifest != nil && !list.HasErrors() {
		b.Name = cmp.Or(m.Name, b.Name)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, d := range append(info.Deps, &info.Main) {
		if d.Path != modulePath {
			continue
		}
		if d.Replace != nil {
			d = d.Replace
		}
		if d.Version != "" && d.Version != "(devel)" {
			b.Party = d.Version
		}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
