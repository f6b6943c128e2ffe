// Command party makes, runs and builds multiplayer servers: one annotated Go
// file becomes live rooms with sockets, storage and alarms.
//
// It only joins the process to package cli. What the commands do is in the packages that they call.
package main

import (
	"os"

	"github.com/goparty-dev/party/cmd/party/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
