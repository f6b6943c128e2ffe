// Package manifest reads party.json: finds it, checks it strictly, and keeps
// where each value stands, so that later stages can point at it. It also
// reads the .env files beside it and edits it without touching its comments.
//
// One table, in keys.go, says which keys there are: the parser, the JSON
// schema (schema.json, for editors) and the defaults all come from it.
//
// It is not for acting on what the manifest says: it starts no command, opens
// no port, knows no Go types, and does not look whether the files and
// folders that are named exist.
package manifest
