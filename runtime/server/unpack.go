//go:build !party_host

package server

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/release"
	party "github.com/goparty-dev/party/runtime"
)

// runUnpack writes down what a platform of another version has to know of this program before it can
// serve it: what it is, its manifest and its assets.
func runUnpack(v *invocation) int {
	set := v.flagSet("unpack", "FOLDER")
	args, code, ok := v.parse(set, 1)
	if !ok {
		return code
	}
	if err := unpackInto(args[0], v.app); err != nil {
		return v.fail(err)
	}
	return 0
}

func unpackInto(dir string, app *party.App) error {
	about := release.About{Build: thisBuild(), Migrations: app.Migrations}
	for _, d := range app.Rooms {
		about.Parties = append(about.Parties, d.Name)
	}
	data, err := json.MarshalIndent(about, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, release.AboutFile), append(data, '\n'), 0o600)
	}
	if embedded.manifest != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, release.ManifestFile), embedded.manifest, 0o600))
	}
	if embedded.assets != nil {
		err = errors.Join(err, os.CopyFS(filepath.Join(dir, release.AssetsFolder), embedded.assets))
	}
	return err
}
