// Package cli is the command line of party: it turns arguments into calls of other
// packages, and what they return into text and an exit code. Each command is a
// constructor and an options struct in a file of its own.
//
// It decides nothing about generating, building, serving or scaffolding.
package cli
