package generator_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goparty-dev/party/generator"
)

// roomSource is a room type with some callbacks and a body of the given number of lines.
func roomSource(name string, lines int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// %[1]s is a room.
//
//party:room hibernate
type %[1]s struct {
	party.Room
	members map[string]int
}

func (c *%[1]s) OnStart(ctx context.Context) error { return nil }
func (c *%[1]s) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	data, err := json.Marshal(c.members)
	fmt.Println(data)
	return err
}
func (c *%[1]s) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error { return nil }
func (c *%[1]s) OnRequest(w http.ResponseWriter, r *http.Request)                         {}

func (c *%[1]s) work(n int) int {
`, name)
	for i := range lines {
		fmt.Fprintf(&b, "\tn += %d * len(c.members) // step %d\n", i, i)
	}
	b.WriteString("\treturn n\n}\n")
	return b.String()
}

// BenchmarkGenerate is one save in party dev, with the files in the page cache.
func BenchmarkGenerate(b *testing.B) {
	for _, size := range []struct {
		name               string
		types, plain, line int
	}{
		{"5types", 5, 5, 100},
		{"large", 200, 800, 200},
	} {
		b.Run(size.name, func(b *testing.B) {
			dir := b.TempDir()
			for i := range size.types {
				write(b, filepath.Join(dir, fmt.Sprintf("room%d.go", i)), []byte(roomSource(fmt.Sprintf("Room%dA", i), size.line)))
			}
			for i := range size.plain {
				source := strings.Replace(roomSource(fmt.Sprintf("Plain%dA", i), size.line), "//party:room hibernate\n", "", 1)
				write(b, filepath.Join(dir, fmt.Sprintf("plain%d.go", i)), []byte(source))
			}
			for b.Loop() {
				if got := len(generate(b, generator.Options{Dir: dir}).Model.Rooms); got != size.types {
					b.Fatalf("%d rooms, want %d", got, size.types)
				}
			}
		})
	}
}
