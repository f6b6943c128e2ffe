// Package devserver is the dev loop behind "party dev": it watches a project,
// generates, builds the user's program as a host, and swaps hosts under a
// platform that goes on serving, so that a saved file is running code a moment later
// and no client has noticed.
//
// One loop decides everything, in a pure function from a state and an event to a state
// and actions (next); all else carries out its actions and tells it
// what came of them.
//
// It does not know how code is generated (that is a function in Options), has no command
// line, and is not for production: it shows sources and stacks to whoever can
// open the page, and listens on loopback unless told otherwise.
package devserver
