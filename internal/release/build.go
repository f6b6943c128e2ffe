// Package release keeps the versions of a built program in a folder: each with its binary, what
// the binary says of itself, and its assets, so that a platform that outlives the code it
// started with can serve any of them, and go back.
//
// A version's number is the hash of its binary. The package runs a binary once, to unpack it; it does
// not decide which version serves and knows nothing of hosts (that is package supervise).
package release

import (
	"cmp"

	"github.com/goparty-dev/party/runtime/storage"
)

// Build says what a program was built from, and with what.
type Build struct {
	Name     string `json:"name"`
	Version  string `json:"version"`            // of its module; "devel" for a build from a checkout
	Commit   string `json:"commit,omitempty"`   // of its repository
	Modified bool   `json:"modified,omitempty"` // there were changes on top of the commit
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Party    string `json:"party"`              // version of this module
	Runtime  int    `json:"runtime"`            // version of the contract with generated code
	Link     int    `json:"link"`               // version of the link: platform and host need the same
	Go       string `json:"go"`
	System   string `json:"system"` // os/arch
}

// Label is the version in a word or two.
func (b *Build) Label() string {
	label := cmp.Or(b.Version, "devel")
	if b.Commit != "" {
		label += " " + b.Commit[:min(12, len(b.Commit))]
	}
	if b.Modified {
		label += "+"
	}
	return label
}

// About is what a program says of itself.
type About struct {
	Build      Build               `json:"build"`
	Parties    []string            `json:"parties"`
	Migrations []storage.Migration `json:"migrations,omitempty"`
}
