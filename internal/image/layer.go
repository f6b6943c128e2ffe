package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// layerTar streams the image's files. The reader must be read to its end or closed.
func layerTar(binary string, at time.Time) (io.ReadCloser, error) {
	f, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		defer f.Close()
		w.CloseWithError(writeLayer(w, f, info.Size(), at))
	}()
	return r, nil
}

// The user has a name for programs that ask. Nothing else is in the files.
var (
	passwd = fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nparty:x:%d:%d:party:%s:/sbin/nologin\n", User, User, DataPath)
	group  = fmt.Sprintf("root:x:0:\nparty:x:%d:\n", User)
)

func writeLayer(w io.Writer, binary io.Reader, size int64, at time.Time) error {
	t := tar.NewWriter(w)
	entry := func(h tar.Header, content io.Reader) error {
		h.ModTime, h.Format = at, tar.FormatPAX
		if err := t.WriteHeader(&h); err != nil {
			return err
		}
		if content == nil {
			return nil
		}
		_, err := io.Copy(t, content)
		return err
	}
	for _, e := range []struct {
		tar.Header
		content io.Reader
	}{
		{tar.Header{Typeflag: tar.TypeReg, Name: BinaryPath[1:], Mode: 0o755, Size: size}, binary},
		{tar.Header{Typeflag: tar.TypeDir, Name: DataPath[1:] + "/", Mode: 0o700, Uid: User, Gid: User}, nil},
		{tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755}, nil},
		{tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644, Size: int64(len(group))}, strings.NewReader(group)},
		{tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))}, strings.NewReader(passwd)},
		{tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil},
	} {
		if err := entry(e.Header, e.content); err != nil {
			return fmt.Errorf("pack %s: %w", e.Name, err)
		}
	}
	return t.Close()
}
