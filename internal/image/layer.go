package image

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// RootsPath is where the image has the certificates of public authorities, as PEM. The same file is
// where Go and most other programs look.
const RootsPath = "/etc/ssl/certs/ca-certificates.crt"

// roots is what stands in RootsPath: those of the trust store that a file can express. A few are
// trusted only for certificates from before some day; a plain list would trust them for good, so they are left out.
var roots = sync.OnceValue(func() string {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		// Writing to a buffer does not fail.
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return out.String()
})

// The user has a name for programs that ask. Nothing else is in the files.
var (
	passwd = fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nparty:x:%d:%d:party:%s:/sbin/nologin\n", User, User, DataPath)
	group  = fmt.Sprintf("root:x:0:\nparty:x:%d:\n", User)
)

// baseTar streams the files that all images share, so that a registry stores and sends them once.
func baseTar(at time.Time) (io.ReadCloser, error) {
	return stream(func(t *tarWriter) error {
		for _, e := range []struct {
			tar.Header
			content string
		}{
			{tar.Header{Typeflag: tar.TypeDir, Name: DataPath[1:] + "/", Mode: 0o700, Uid: User, Gid: User}, ""},
			{tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755}, ""},
			{tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, group},
			{tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, passwd},
			{tar.Header{Typeflag: tar.TypeDir, Name: "etc/ssl/", Mode: 0o755}, ""},
			{tar.Header{Typeflag: tar.TypeDir, Name: "etc/ssl/certs/", Mode: 0o755}, ""},
			{tar.Header{Typeflag: tar.TypeReg, Name: RootsPath[1:], Mode: 0o644}, roots()},
			{tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, ""},
		} {
			e.Size = int64(len(e.content))
			if err := t.add(e.Header, strings.NewReader(e.content)); err != nil {
				return err
			}
		}
		return nil
	}, at), nil
}

// programTar streams the layer with the binary.
func programTar(binary string, at time.Time) (io.ReadCloser, error) {
	f, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return stream(func(t *tarWriter) error {
		defer f.Close()
		return t.add(tar.Header{Typeflag: tar.TypeReg, Name: BinaryPath[1:], Mode: 0o755, Size: info.Size()}, f)
	}, at), nil
}

// stream runs write beside whoever reads what it writes. The reader must be read to its end or closed.
func stream(write func(*tarWriter) error, at time.Time) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		t := &tarWriter{tar.NewWriter(w), at}
		err := write(t)
		if err == nil {
			err = t.w.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// tarWriter writes entries that have one time.
type tarWriter struct {
	w  *tar.Writer
	at time.Time
}

func (t *tarWriter) add(h tar.Header, content io.Reader) error {
	h.ModTime, h.Format = t.at, tar.FormatPAX
	if err := t.w.WriteHeader(&h); err != nil {
		return fmt.Errorf("pack %s: %w", h.Name, err)
	}
	if _, err := io.Copy(t.w, content); err != nil {
		return fmt.Errorf("pack %s: %w", h.Name, err)
	}
	return nil
}
