// Package templates holds the projects that party init starts from. Each is a
// real main package of this module, compiled and tested with it, in the
// folder of its name.
//
// The package hands the files out as they are. Turning them into somebody's
// project is the business of package scaffold.
package templates

import (
	"embed"
	"io/fs"
)

// Template is one project to start from.
type Template struct {
	Name  string // as in party init --template
	About string // one line
	// Project is the name that the template's own files use for the project, for
	// party init to replace. It occurs for nothing else.
	Project string
}

// All lists the templates, the default one first.
var All = []Template{
	{"chat", "a chat: broadcast, who is here, the last hundred lines kept", "chat-starter"},
	{"onfetch", "a private room for each user, behind a login", "onfetch-starter"},
	{"messages", "rooms that answer HTTP requests: POST stores and broadcasts, GET lists", "messages-starter"},
	{"socketio-chat", "a chat for Socket.IO clients: events with types, acks, who is typing", "socketio-chat-starter"},
	{"poll", "a poll with a TypeScript page: typed messages, events and calls, bundled", "poll-starter"},
}

//go:embed chat onfetch messages socketio-chat poll
var files embed.FS

// Find returns the template of that name.
func Find(name string) (Template, bool) {
	for _, t := range All {
		if t.Name == name {
			return t, true
		}
	}
	return Template{}, false
}

// Files returns the template's files, tests and generated ones included.
func (t Template) Files() fs.FS {
	sub, err := fs.Sub(files, t.Name)
	if err != nil {
		panic("templates: " + err.Error()) // only an invalid name does that
	}
	return sub
}
