package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/goparty-dev/party/internal/image"
	"github.com/goparty-dev/party/internal/sbom"
)

// buildImage builds the binary apart, packs it, and writes the image or pushes it.
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
	bundled, err := o.build(ctx, s, p, binary)
	if err != nil {
		return err
	}
	img, err := image.Build(image.Options{Binary: binary, Arch: o.targetArch(), Created: created, Title: p.name()})
	if err != nil {
		return err
	}
	var bill []byte
	if o.sbom {
		if bill, err = materials(p, binary, bundled); err != nil {
			return err
		}
	}
	if o.push {
		return o.pushImage(ctx, s, tag, img, bill)
	}
	size, err := writeImage(output, tag, img)
	if err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return fmt.Errorf("look at the image: %w", err)
	}
	s.printf("Packed %s: %s, image %s, linux/%s, %s\n", shown(output), megabytes(size), tag, o.targetArch(), digest)
	if bill == nil {
		return nil
	}
	return writeBill(s, output, bill)
}

// pushImage sends an image to its registry, and with it its bill if there is one.
func (o *buildOptions) pushImage(ctx context.Context, s *streams, tag name.Tag, img v1.Image, bill []byte) error {
	var attached *image.Attachment
	if bill != nil {
		attached = &image.Attachment{MediaType: sbom.MediaType, Content: bill}
	}
	pushed, err := image.Push(ctx, tag, img, attached)
	if err != nil {
		return err
	}
	s.printf("Pushed %s, linux/%s, %s\n", tag, o.targetArch(), pushed.Digest)
	if attached != nil {
		s.printf("Attached a CycloneDX bill of materials, %s\n", pushed.Attached)
	}
	return nil
}

// writeImage writes an image's archive, whole or not at all, and returns its size.
func writeImage(output string, tag name.Tag, img v1.Image) (size int64, err error) {
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return 0, fmt.Errorf("write the image: %w", err)
	}
	out, err := os.CreateTemp(filepath.Dir(output), ".image-")
	if err != nil {
		return 0, fmt.Errorf("write the image: %w", err)
	}
	defer os.Remove(out.Name()) // it is gone if all went well
	if err := errors.Join(image.Write(out, tag, img), out.Chmod(0o644), out.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(out.Name())
	if err == nil {
		size, err = info.Size(), os.Rename(out.Name(), output)
	}
	if err != nil {
		return 0, fmt.Errorf("write the image: %w", err)
	}
	return size, nil
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
