package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Blob is a file with its hash.
type Blob struct {
	Path string
	Hash string // SHA-256, hexadecimal
	Size int64  // bytes
}

// NewBlob reads a file to find its hash.
func NewBlob(path string) (Blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return Blob{}, fmt.Errorf("read what is to be uploaded: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return Blob{}, fmt.Errorf("read what is to be uploaded: %w", err)
	}
	return Blob{Path: path, Hash: hex.EncodeToString(sum.Sum(nil)), Size: n}, nil
}

// HasBlob reports whether the host has the bytes with a hash.
func (c *Client) HasBlob(ctx context.Context, app, hash string) (bool, error) {
	resp, err := c.ask(ctx, question{method: http.MethodHead, path: api.BlobPath(app, hash)})
	if problem := (*api.Problem)(nil); errors.As(err, &problem) && problem.Status == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, resp.Body.Close()
}

// Upload takes a blob to the host, unless it is there. each, if not nil, is told how many bytes of it
// have left, also if that begins anew after a connection broke. skipped means that there was nothing to do.
func (c *Client) Upload(ctx context.Context, app string, b Blob, each func(sent int64)) (skipped bool, err error) {
	if has, err := c.HasBlob(ctx, app, b.Hash); has || err != nil {
		return has, err
	}
	resp, err := c.ask(ctx, question{
		method: http.MethodPut, path: api.BlobPath(app, b.Hash), kind: api.BytesType, size: b.Size,
		body: func() (io.ReadCloser, error) {
			f, err := os.Open(b.Path)
			if err != nil {
				return nil, fmt.Errorf("read what is to be uploaded: %w", err)
			}
			return &counted{ReadCloser: f, each: each}, nil
		},
	})
	if err != nil {
		return false, fmt.Errorf("upload: %w", err)
	}
	return false, resp.Body.Close()
}

// counted tells how much has been read.
type counted struct {
	io.ReadCloser
	n    int64
	each func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	if c.each != nil && n > 0 {
		c.each(c.n)
	}
	return n, err
}

// Download copies a backup to w.
func (c *Client) Download(ctx context.Context, app, id string, w io.Writer) (int64, error) {
	resp, err := c.ask(ctx, question{method: http.MethodGet, path: api.BackupFilePath(app, id)})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, fmt.Errorf("download backup %s: %w", id, err)
	}
	return n, nil
}

// PullRoom copies the file of a room to w, see package roomfile.
func (c *Client) PullRoom(ctx context.Context, app, party, room string, w io.Writer) (int64, error) {
	resp, err := c.ask(ctx, question{method: http.MethodGet, path: api.AppPath(app, api.RoomPath), query: api.RoomQuery(party, room)})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, fmt.Errorf("download room %s/%s: %w", party, room, err)
	}
	return n, nil
}

// PushRoom makes the file of a room, which may be another's, all that a room has stored. Without replace a room
// that has data is left alone.
func (c *Client) PushRoom(ctx context.Context, app, party, room string, file Blob, replace bool) error {
	query := api.RoomQuery(party, room)
	if replace {
		query.Set("replace", "true")
	}
	resp, err := c.ask(ctx, question{
		method: http.MethodPut, path: api.AppPath(app, api.RoomPath), query: query, kind: api.BytesType, size: file.Size,
		body: func() (io.ReadCloser, error) {
			f, err := os.Open(file.Path)
			if err != nil {
				return nil, fmt.Errorf("read the file of the room: %w", err)
			}
			return f, nil
		},
	})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
