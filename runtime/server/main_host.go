//go:build party_host

package server

import (
	"fmt"
	"os"

	party "github.com/goparty-dev/party/runtime"
)

// Main serves app's rooms to the dev server that started this process, and
// returns when the dev server lets it go.
func Main(app *party.App) {
	if os.Getenv(HostFD) == "" {
		fmt.Fprintln(os.Stderr, "party host: this program was built for party dev (tag party_host) and runs under it only")
		os.Exit(1)
	}
	if err := serveHost(app); err != nil {
		fmt.Fprintln(os.Stderr, "party host:", err)
		os.Exit(1)
	}
}
