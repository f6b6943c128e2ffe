package snapshots

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func named(t *testing.T, owner string, at time.Time, kind string) string {
	t.Helper()
	name, err := Name(owner, at, kind)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// targets calls test with each kind of target, empty.
func targets(t *testing.T, test func(t *testing.T, target Target)) {
	t.Run("folder", func(t *testing.T) {
		target, err := Open(filepath.Join(t.TempDir(), "not", "yet"))
		if err != nil {
			t.Fatal(err)
		}
		test(t, target)
	})
	for _, prefix := range []string{"", "/a/prefix"} {
		t.Run("bucket"+prefix, func(t *testing.T) { test(t, serveBucket(t, prefix)) })
	}
}

// serveBucket opens a bucket of an S3 server in memory.
func serveBucket(t *testing.T, prefix string) Target {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "ada")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-ada")
	backend := s3mem.New()
	if err := backend.CreateBucket("kept"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	o := bucketOptions{bucket: "kept", prefix: strings.Trim(prefix, "/"), endpoint: strings.TrimPrefix(server.URL, "http://"), region: "eu-1", insecure: true, tries: 1}
	target, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func put(t *testing.T, target Target, name, text string) {
	t.Helper()
	if err := target.Put(t.Context(), name, strings.NewReader(text), int64(len(text))); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, target Target, prefix string) []string {
	t.Helper()
	all, err := target.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, s := range all {
		names = append(names, fmt.Sprintf("%s %d", s.Name, s.Size))
	}
	return names
}

func TestTarget(t *testing.T) {
	targets(t, func(t *testing.T, target Target) {
		if got := list(t, target, ""); len(got) != 0 {
			t.Errorf("at first there is %q", got)
		}
		first, second := named(t, "chat", noon, "scheduled"), named(t, "chat", noon.Add(time.Millisecond), "")
		other := named(t, "chat--beta", noon, "asked")
		put(t, target, second, "second")
		put(t, target, other, "x")
		put(t, target, first, "first")
		want := []string{first + " 5", second + " 6"}
		if diff := cmp.Diff(list(t, target, "chat/"), want); diff != "" {
			t.Errorf("of chat (-got +want):\n%s", diff)
		}
		if got := list(t, target, ""); len(got) != 3 {
			t.Errorf("in all there is %q", got)
		}
		r, err := target.Get(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || string(data) != "first" || r.Close() != nil {
			t.Errorf("got %q, %v", data, err)
		}
		if err := errors.Join(target.Delete(t.Context(), first), target.Delete(t.Context(), first)); err != nil {
			t.Errorf("delete, and again: %v", err)
		}
		if _, err := target.Get(t.Context(), first); !errors.Is(err, ErrNotFound) {
			t.Errorf("after deleting it: %v, want %v", err, ErrNotFound)
		}
	})
}

// TestHalf: what cannot be read to its end does not become a snapshot.
func TestHalf(t *testing.T) {
	targets(t, func(t *testing.T, target Target) {
		broken := errors.New("broken")
		name := named(t, "chat", noon, "")
		for what, err := range map[string]error{
			"a failing reader": target.Put(t.Context(), name, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 8),
			"too little":       target.Put(t.Context(), name, strings.NewReader("half"), 8),
		} {
			if err == nil {
				t.Errorf("%s is stored", what)
			}
		}
		if got := list(t, target, ""); len(got) != 0 {
			t.Errorf("there is %q", got)
		}
	})
}

func TestNames(t *testing.T) {
	targets(t, func(t *testing.T, target Target) {
		for _, name := range []string{"", "x", "../x", "chat/x.db", "chat/../../20261121T120000.000Z.db", "/chat/20261121T120000.000Z.db", "chat/20261121T120000.000Z-Up.db", "..chat/20261121T120000.000Z.db"} {
			if err := target.Put(t.Context(), name, strings.NewReader(""), 0); err == nil {
				t.Errorf("put takes %q", name)
			}
			if _, err := target.Get(t.Context(), name); !errors.Is(err, ErrNotFound) {
				t.Errorf("get %q: %v", name, err)
			}
			if err := target.Delete(t.Context(), name); err == nil {
				t.Errorf("delete takes %q", name)
			}
		}
	})
	name := named(t, "my-app--beta", noon, "asked")
	if at, err := Time(name); name != "my-app--beta/20261121T120000.000Z-asked.db" || !at.Equal(noon) || err != nil {
		t.Errorf("got %s, of %v, %v", name, at, err)
	}
	for _, owner := range []string{"", "A", "a/b", "..", "a..b", "-a"} {
		if name, err := Name(owner, noon, ""); err == nil {
			t.Errorf("a snapshot of %q can be called %q", owner, name)
		}
	}
}

func TestPrune(t *testing.T) {
	targets(t, func(t *testing.T, target Target) {
		for n := range 4 {
			put(t, target, named(t, "chat", noon.Add(time.Duration(n)*time.Hour), "scheduled"), "x")
		}
		asked, other := named(t, "chat", noon, "asked"), named(t, "game", noon, "scheduled")
		put(t, target, asked, "x")
		put(t, target, other, "x")
		gone, err := Prune(t.Context(), target, "chat", "scheduled", 2)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{named(t, "chat", noon, "scheduled"), named(t, "chat", noon.Add(time.Hour), "scheduled")}; !cmp.Equal(gone, want) {
			t.Errorf("removed %q, want %q", gone, want)
		}
		if got := list(t, target, ""); len(got) != 4 {
			t.Errorf("left is %q", got)
		}
	})
}

// TestRestore takes a store through a target and back.
func TestRestore(t *testing.T) {
	targets(t, func(t *testing.T, target Target) {
		dir := t.TempDir()
		room := storage.Room{Party: "chat", Name: "lobby"}
		store, err := sqlite.Open(filepath.Join(dir, "party.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		claim, err := store.Claim(t.Context(), room)
		if err != nil {
			t.Fatal(err)
		}
		value := bytes.Repeat([]byte("x"), 1<<20)
		done := make(chan error, 1)
		store.Commit(storage.Commit{Room: room, Fence: claim.Fence, Ops: []storage.Op{{Key: "k", Value: value}}}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(dir, "backup.db")
		if err := sqlite.Backup(t.Context(), filepath.Join(dir, "party.db"), backup); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(backup)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		name := named(t, "chat", noon, "scheduled")
		if err := target.Put(t.Context(), name, file, info.Size()); err != nil {
			t.Fatal(err)
		}

		fetched := filepath.Join(dir, "fetched.db")
		if err := Fetch(t.Context(), target, name, fetched); err != nil {
			t.Fatal(err)
		}
		if err := Fetch(t.Context(), target, name, fetched); !errors.Is(err, os.ErrExist) {
			t.Errorf("over a file: %v", err)
		}
		restored := filepath.Join(dir, "restored.db")
		if err := sqlite.Restore(fetched, restored, sqlite.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		again, err := sqlite.Open(restored, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		got, err := again.Get(t.Context(), room, []string{"k"})
		if err != nil || !bytes.Equal(got["k"], value) {
			t.Errorf("got %d bytes, %v", len(got["k"]), err)
		}
	})
}

func TestOpen(t *testing.T) {
	for _, location := range []string{"", "http://x", "s3://", "s3://a:b@kept", "s3://kept?secret=x", "s3://kept?insecure=maybe", "s3://kept#x", "s3://kept:80/x", "s3:kept"} {
		target, err := Open(location)
		if !errors.Is(err, ErrLocation) {
			t.Errorf("Open(%q) = %v, %v, want %v", location, target, err, ErrLocation)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "ada")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-ada")
	target, err := Open("s3://kept/a/?endpoint=127.0.0.1:1&insecure=true")
	if err != nil || target.String() != "s3://kept/a at 127.0.0.1:1" {
		t.Fatalf("got %v, %v", target, err)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := target.Put(ctx, named(t, "chat", noon, ""), strings.NewReader("x"), 1); err == nil || strings.Contains(err.Error(), "secret-of-ada") {
		t.Errorf("a server that is not there: %v", err)
	}
}
