package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/goparty-dev/party/internal/image"
)

// buildImage builds the binary apart and packs it.
func (o *buildOptions) buildImage(ctx context.Context, s *streams, p *project) (err error) {
	tag, err := image.Tag(o.image)
	if err != nil {
		return err
	}
	created, err := sourceDate()
	if err != nil {
		return err
	}
	output, err := o.outputPath(p, p.name()+".tar")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "party-image-")
	if err != nil {
		return fmt.Errorf("build the image: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary := filepath.Join(dir, p.name())
	if err := o.build(ctx, s, p, binary); err != nil {
		return err
	}
	img, err := image.Build(image.Options{Binary: binary, Arch: o.targetArch(), Created: created, Title: p.name()})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	out, err := os.CreateTemp(filepath.Dir(output), ".image-")
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	defer os.Remove(out.Name()) // it is gone if all went well
	if err := errors.Join(image.Write(out, tag, img), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), output); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	info, err := os.Stat(output)
	if err != nil {
		return fmt.Errorf("look at the image: %w", err)
	}
	digest, err := img.Digest()
	if err != nil {
		return fmt.Errorf("look at the image: %w", err)
	}
	s.printf("Packed %s: %s, image %s, linux/%s, %s\n", shown(output), megabytes(info.Size()), tag, o.targetArch(), digest)
	return nil
}

// sourceDate is the time that files of a build are to have: SOURCE_DATE_EPOCH, in seconds
// since 1970, as other tools for reproducible builds take it. Without it there is none.
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, not a number of seconds", text)
	}
	return time.Unix(seconds, 0), nil
}
