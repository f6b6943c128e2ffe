package generator_test

import (
	"fmt"
	"path/filepath"
	"slices"
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

// BenchmarkModule is "party generate" for a program that serves 200 room types of 50 packages, in a module
// with as many packages that have none, files in the page cache.
func BenchmarkModule(b *testing.B) {
	root := b.TempDir()
	write(b, filepath.Join(root, "go.mod"), []byte("module example.com/big\n\ngo 1.26\n"))
	write(b, filepath.Join(root, "cmd/server/main.go"), []byte("package main\n"))
	write(b, filepath.Join(root, "model/model.go"), []byte("package model\n\ntype Point struct{ X, Y int }\n\ntype Page[T any] struct{ Items []T }\n"))
	for n := range 50 {
		for i := range 4 {
			name := fmt.Sprintf("Room%dA%d", i, n)
			source := strings.Replace(roomSource(name, 100), "package main", fmt.Sprintf("package rooms%d", n), 1)
			source = strings.Replace(source, "\"net/http\"\n", "\"net/http\"\n\n\t\"example.com/big/model\"\n", 1)
			source = strings.Replace(source, "members map[string]int\n", "members map[string]int `party:\"persist\"`\n\tat []model.Point `party:\"persist\"`\n", 1)
			source += fmt.Sprintf("\n//party:rpc public\nfunc (c *%s) List(ctx context.Context, p model.Point) (model.Page[model.Point], error) {\n\treturn model.Page[model.Point]{}, nil\n}\n", name)
			write(b, filepath.Join(root, fmt.Sprintf("rooms%d", n), fmt.Sprintf("room%d.go", i)), []byte(source))
			plain := strings.Replace(roomSource("Plain", 100), "package main", fmt.Sprintf("package plain%d", n), 1)
			plain = strings.Replace(plain, "//party:room hibernate\n", "", 1)
			write(b, filepath.Join(root, fmt.Sprintf("plain%d", n), fmt.Sprintf("plain%d.go", i)), []byte(plain))
		}
	}
	write(b, filepath.Join(root, "party.json"), []byte("{}"))
	o := generator.Options{Dir: filepath.Join(root, "cmd/server"), Manifest: &generator.Manifest{Path: filepath.Join(root, "party.json")}}
	for b.Loop() {
		res := generate(b, o)
		if got := len(slices.Collect(res.Model.AllRooms())); got != 200 || len(res.Files) < 103 {
			b.Fatalf("%d rooms, %d files, want 200 and two for each package", got, len(res.Files))
		}
	}
}

// BenchmarkSession is what of generating is left on a reload after which nothing has changed but a body.
func BenchmarkSession(b *testing.B) {
	dir := b.TempDir()
	for i := range 5 {
		write(b, filepath.Join(dir, fmt.Sprintf("room%d.go", i)), []byte(roomSource(fmt.Sprintf("Room%dA", i), 100)))
		plain := strings.Replace(roomSource(fmt.Sprintf("Plain%dA", i), 100), "//party:room hibernate\n", "", 1)
		write(b, filepath.Join(dir, fmt.Sprintf("plain%d.go", i)), []byte(plain))
	}
	var s generator.Session
	o := generator.Options{Dir: dir}
	if _, _, err := s.Generate(o); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		b.StopTimer()
		write(b, filepath.Join(dir, "room0.go"), []byte(strings.Replace(roomSource("Room0A", 100), "return n\n", fmt.Sprintf("return n + %d\n", n), 1)))
		b.StartTimer()
		if _, again, err := s.Generate(o); err != nil || !again {
			b.Fatalf("again is %v (%v)", again, err)
		}
	}
}
