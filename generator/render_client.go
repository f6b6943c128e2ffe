package generator

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// clientCode is the part of the client module that is the same for everyone.
//
//go:embed client.ts
var clientCode []byte

// Client is what the client module is made of: TypeScript types as text.
type Client struct {
	Types  []string
	Events []string // each with its frame's type
	Rooms  []ClientRoom
}

// ClientRoom is a party as clients see it.
type ClientRoom struct {
	Party    string
	Messages []string
	Calls    []string
}

// newClient writes down what clients and rooms tell each other.
func newClient(m *Model) *Client {
	t := newTSTypes()
	c := new(Client)
	for part := range m.All() {
		for _, e := range part.Events {
			c.Events = append(c.Events, frame(e.Type, t.of(e.data)))
		}
	}
	for r := range m.AllRooms() {
		room := ClientRoom{Party: r.Party}
		for _, f := range r.Messages {
			room.Messages = append(room.Messages, frame(f.Type, t.of(f.data)))
		}
		for _, f := range r.Methods {
			if f.Public {
				room.Calls = append(room.Calls, signature(f, t))
			}
		}
		c.Rooms = append(c.Rooms, room)
	}
	for _, d := range t.declarations() {
		c.Types = append(c.Types, d.text)
	}
	return c
}

// addClient plans the client module, unless somebody else's file is in its place.
func (r *Result) addClient(m *Manifest) error {
	if m == nil || m.Client == "" {
		return nil
	}
	old, err := os.ReadFile(m.Client)
	switch {
	case err == nil && len(old) > 0 && !isOurs(old):
		d := r.Diagnostics.Errorf(m.ClientPos, "file-in-the-way", "%s is generated, and the file that is there is not", filepath.Base(m.Client))
		d.Hint = "rename the file, or let the client module have another name"
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look at the client module: %w", err)
	}
	r.Model.Client = newClient(r.Model)
	return nil
}

func frame(typ, data string) string {
	if data == "{}" {
		return fmt.Sprintf("{ type: %s }", tsString(typ))
	}
	return fmt.Sprintf("({ type: %s } & %s)", tsString(typ), data)
}

// signature writes a method that clients call: its arguments as a tuple, and its result, a tuple if there are several.
func signature(f Method, t *tsTypes) string {
	var args, results []string
	for n, typ := range f.params {
		args = append(args, tsArgument(f.Params[n].Name)+": "+t.of(typ))
	}
	for _, typ := range f.results {
		results = append(results, t.of(typ))
	}
	result := "[" + strings.Join(results, ", ") + "]"
	switch len(results) {
	case 0:
		result = "void"
	case 1:
		result = results[0]
	}
	return fmt.Sprintf("%s: { args: [%s]; result: %s }", tsKey(f.Name), strings.Join(args, ", "), result)
}

// tsArgument avoids the words that TypeScript keeps for itself by a suffix.
func tsArgument(name string) string { return name + "_" }

// printClient prints the client module.
func printClient(c *Client) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s\n", header)
	line("import { PartySocket, type PartySocketOptions } from \"partysocket\";\n")
	for _, t := range c.Types {
		line("export %s\n", t)
	}
	line("/** What the server sends. */")
	line("export type ServerEvent =")
	line("  | ErrorFrame")
	for _, e := range c.Events {
		line("  | %s", e)
	}
	line("  ;\n")
	line("/** What rooms of each party take. */\nexport interface Messages {")
	for _, r := range c.Rooms {
		text := "never"
		if len(r.Messages) > 0 {
			text = strings.Join(r.Messages, "\n    | ")
		}
		line("  %s: %s;", tsKey(r.Party), text)
	}
	line("}\n\n/** What clients can call of rooms of each party. */\nexport interface Calls {")
	for _, r := range c.Rooms {
		if len(r.Calls) == 0 {
			line("  %s: {};", tsKey(r.Party))
			continue
		}
		line("  %s: {\n    %s;\n  };", tsKey(r.Party), strings.Join(r.Calls, ";\n    "))
	}
	line("}\n")
	b.Write(clientCode)
	return b.Bytes()
}
