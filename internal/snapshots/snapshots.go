// Package snapshots keeps copies of stores somewhere else: in a folder, or in a bucket that speaks S3's protocol. A copy is
// made elsewhere (sqlite.Backup) and is a plain file to this package; how often, and which store, is its callers' business.
//
// Names of copies say whose they are and when they were made, so that sorting by name is sorting by time.
package snapshots

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Errors of a Target.
var (
	// ErrNotFound says that there is no such snapshot.
	ErrNotFound = errors.New("there is no such snapshot")
	// ErrLocation says that a place is not written as Open wants it.
	ErrLocation = errors.New("want a folder, or s3://BUCKET[/PREFIX][?endpoint=HOST[:PORT]][&region=NAME][&insecure=true]")
)

// Snapshot is a copy that is there.
type Snapshot struct {
	Name string // as from Name
	Size int64  // bytes
}

// Target is where snapshots are kept. Its methods are safe for concurrent use.
type Target interface {
	// Put stores size bytes of r under a name, whole or not at all.
	Put(ctx context.Context, name string, r io.Reader, size int64) error
	// List returns the snapshots whose names begin with prefix, oldest first.
	List(ctx context.Context, prefix string) ([]Snapshot, error)
	// Get opens a snapshot, or returns ErrNotFound.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Delete removes a snapshot. One that is not there is no error.
	Delete(ctx context.Context, name string) error
	// String says where it is, without credentials.
	String() string
}

// Open returns the target that a location names: a folder, which is made if need be, or a bucket as in
//
//	s3://backups/party?endpoint=s3.example.com&region=eu-1
//
// Without endpoint it is Amazon's. insecure=true speaks HTTP, and is for networks that are one's own. Credentials come from
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else from the file and profile that
// AWS_SHARED_CREDENTIALS_FILE and AWS_PROFILE name, never from the location. Nothing is asked over a network yet.
func Open(location string) (Target, error) {
	if !strings.HasPrefix(location, "s3:") {
		if location == "" || strings.Contains(location, "://") {
			return nil, fmt.Errorf("snapshots to %q: %w", location, ErrLocation)
		}
		dir, err := filepath.Abs(location)
		if err != nil {
			return nil, fmt.Errorf("snapshots to %q: %w", location, err)
		}
		return folder(dir), nil
	}
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Port() != "" || u.Fragment != "" {
		return nil, fmt.Errorf("snapshots to a bucket: %w", ErrLocation) // it may hold a secret
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("snapshots to a bucket: %w", ErrLocation)
	}
	b := bucketOptions{bucket: u.Host, prefix: strings.Trim(u.Path, "/"), endpoint: cmp.Or(q.Get("endpoint"), amazon), region: q.Get("region")}
	switch q.Get("insecure") {
	case "", "false":
	case "true":
		b.insecure = true
	default:
		return nil, fmt.Errorf("snapshots to a bucket: %w", ErrLocation)
	}
	for key := range q {
		if !slices.Contains([]string{"endpoint", "region", "insecure"}, key) {
			return nil, fmt.Errorf("snapshots to a bucket: %q is not known: %w", key, ErrLocation)
		}
	}
	return b.open()
}

const stamp = "20060102T150405.000Z"

// names are what Name makes, of parts without surprises.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*/\d{8}T\d{6}\.\d{3}Z(-[a-z]+)?\.db$`)

// Name names the snapshot that was made of an owner's store at a time, of a kind such as "scheduled", which may be "". The
// owner is of lower case letters, digits, dots and dashes.
func Name(owner string, at time.Time, kind string) (string, error) {
	name := owner + "/" + at.UTC().Format(stamp)
	if kind != "" {
		name += "-" + kind
	}
	name += ".db"
	if !valid(name) {
		return "", fmt.Errorf("snapshot of %q, %q: not a name", owner, kind)
	}
	return name, nil
}

func valid(name string) bool { return names.MatchString(name) && !strings.Contains(name, "..") }

// Time reads from a name when the snapshot was made.
func Time(name string) (time.Time, error) {
	if !valid(name) {
		return time.Time{}, fmt.Errorf("%q: %w", name, ErrNotFound)
	}
	_, rest, _ := strings.Cut(name, "/")
	at, err := time.Parse(stamp, rest[:len(stamp)])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: %w", name, ErrNotFound)
	}
	return at, nil
}

// Prune removes the oldest snapshots of an owner and a kind until keep are left, and returns what it removed.
func Prune(ctx context.Context, t Target, owner, kind string, keep int) ([]string, error) {
	all, err := t.List(ctx, owner+"/")
	if err != nil {
		return nil, err
	}
	end := ".db"
	if kind != "" {
		end = "-" + kind + ".db"
	}
	all = slices.DeleteFunc(all, func(s Snapshot) bool {
		return !strings.HasSuffix(s.Name, end) || kind == "" && strings.Contains(s.Name, "Z-")
	})
	var gone []string
	for len(all) > max(keep, 0) {
		if err := t.Delete(ctx, all[0].Name); err != nil {
			return gone, err
		}
		gone, all = append(gone, all[0].Name), all[1:]
	}
	return gone, nil
}

// Fetch writes a snapshot to a new file, which is complete or not there.
func Fetch(ctx context.Context, t Target, name, path string) (err error) {
	r, err := t.Get(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	out, err := os.CreateTemp(filepath.Dir(path), ".tmp-")
	if err != nil {
		return fmt.Errorf("fetch snapshot %s: %w", name, err)
	}
	defer os.Remove(out.Name()) // the file has two names, or is of no use
	_, err = io.Copy(out, r)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("fetch snapshot %s: %w", name, err)
	}
	if err := os.Link(out.Name(), path); err != nil { // unlike a rename it replaces nothing
		return fmt.Errorf("fetch snapshot %s: %w", name, err)
	}
	return nil
}
