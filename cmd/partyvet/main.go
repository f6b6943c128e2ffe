// Command partyvet runs the analyzers of package partyvet for the go command:
//
//	go vet -vettool=$(which partyvet) ./...
//
// By itself it is of no use: party vet is the command for people.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/goparty-dev/party/analysis/partyvet"
)

func main() { unitchecker.Main(partyvet.Analyzers...) }
