package stream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// body is the body of a request that is in memory as a whole.
type body struct {
	bytes.Reader
	data []byte
}

func newBody(data []byte) io.ReadCloser {
	if len(data) == 0 {
		return http.NoBody
	}
	b := &body{data: data}
	b.Reset(data)
	return b
}

// Close leaves the body readable, as its request may be delivered again.
func (b *body) Close() error { return nil }

// readBody reads what is left of a body. The result must not be modified.
func readBody(r io.ReadCloser) ([]byte, error) {
	switch r := r.(type) {
	case nil:
		return nil, nil
	case *body:
		return r.data[len(r.data)-r.Len():], nil
	}
	if r == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFrame+1))
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	if len(data) > maxFrame {
		return nil, sizeError(len(data))
	}
	return data, nil
}
