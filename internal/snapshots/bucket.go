package snapshots

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const amazon = "s3.amazonaws.com"

type bucketOptions struct {
	bucket, prefix   string
	endpoint, region string
	insecure         bool
	tries            int // of a question; 0 is the library's ten
}

// bucket is a target that speaks S3's protocol.
type bucket struct {
	bucketOptions
	client *minio.Client
}

var _ Target = (*bucket)(nil)

func (o bucketOptions) open() (*bucket, error) {
	client, err := minio.New(o.endpoint, &minio.Options{
		Creds:  credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}),
		Secure: !o.insecure,
		Region: o.region, MaxRetries: o.tries,
	})
	if err != nil {
		return nil, fmt.Errorf("snapshots to bucket %s: %w", o.bucket, err)
	}
	return &bucket{o, client}, nil
}

func (b *bucket) String() string {
	return "s3://" + path.Join(b.bucket, b.prefix) + " at " + b.endpoint
}

func (b *bucket) key(name string) string { return path.Join(b.prefix, name) }

func (b *bucket) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	if !valid(name) {
		return fmt.Errorf("put snapshot %q: not a name", name)
	}
	info, err := b.client.PutObject(ctx, b.bucket, b.key(name), r, size, minio.PutObjectOptions{ContentType: "application/vnd.sqlite3"})
	if err == nil && info.Size != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("put snapshot %s to %s: %w", name, b, err)
	}
	return nil
}

func (b *bucket) List(ctx context.Context, prefix string) ([]Snapshot, error) {
	root := ""
	if b.prefix != "" {
		root = b.prefix + "/"
	}
	var out []Snapshot
	for o := range b.client.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: root + prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list snapshots in %s: %w", b, o.Err)
		}
		if name := strings.TrimPrefix(o.Key, root); valid(name) {
			out = append(out, Snapshot{Name: name, Size: o.Size})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list snapshots in %s: %w", b, err)
	}
	slices.SortFunc(out, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (b *bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if !valid(name) {
		return nil, fmt.Errorf("get snapshot %q: %w", name, ErrNotFound)
	}
	o, err := b.client.GetObject(ctx, b.bucket, b.key(name), minio.GetObjectOptions{})
	if err == nil {
		_, err = o.Stat() // only now is anything asked
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("get snapshot %s from %s: %w", name, b, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get snapshot %s from %s: %w", name, b, err)
	}
	return o, nil
}

func (b *bucket) Delete(ctx context.Context, name string) error {
	if !valid(name) {
		return fmt.Errorf("delete snapshot %q: not a name", name)
	}
	if err := b.client.RemoveObject(ctx, b.bucket, b.key(name), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete snapshot %s from %s: %w", name, b, err)
	}
	return nil
}
