package image

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// What every image has.
const (
	User       = 65532 // and group, by number: nothing has to look it up
	Port       = 8080
	AdminAddr  = "127.0.0.1:9090" // of /readyz, which the health check asks for
	BinaryPath = "/app"
	DataPath   = "/data" // a volume
)

// Options of an image. Binary and Arch are required.
type Options struct {
	Binary string // file of a static Linux program, made by party build
	Arch   string // as in GOARCH
	// Created is written into the image, and is the time of all files. Default 1970.
	Created time.Time
	// Labels are added to those of the image, or replace them: org.opencontainers.image.title and created.
	Labels map[string]string
	Title  string // what the program is called
}

// Tag reads NAME[:TAG]. Without a tag it is "latest", without a registry Docker Hub's, as container engines do.
func Tag(text string) (name.Tag, error) {
	if strings.Contains(text, "@") {
		return name.Tag{}, fmt.Errorf("image name %q: a digest is what comes out, name a tag", text)
	}
	tag, err := name.NewTag(text)
	if err != nil {
		return name.Tag{}, fmt.Errorf("image name %q: %w", text, err)
	}
	if strings.HasPrefix(tag.RegistryStr(), ".") {
		return name.Tag{}, fmt.Errorf("image name %q is a path", text)
	}
	for part := range strings.SplitSeq(tag.RepositoryStr(), "/") {
		if !component.MatchString(part) {
			return name.Tag{}, fmt.Errorf("image name %q: %q is not lower case letters and digits, with . _ - between them", text, part)
		}
	}
	return tag, nil
}

// component is a part of a repository's name. The library that has parsed it lets more pass than engines do.
var component = regexp.MustCompile(`^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$`)

// Build makes the image. It reads the binary now and again when the image is written.
func Build(o Options) (v1.Image, error) {
	created := cmp.Or(o.Created.UTC(), time.Unix(0, 0).UTC())
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, files := range []tarball.Opener{
		func() (io.ReadCloser, error) { return baseTar(created) },
		func() (io.ReadCloser, error) { return programTar(o.Binary, created) },
	} {
		layer, err := tarball.LayerFromOpener(files, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", o.Binary, err)
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer: layer, MediaType: types.OCILayer,
			History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "party build --image"},
		})
		if err != nil {
			return nil, fmt.Errorf("make the image: %w", err)
		}
	}
	labels := map[string]string{
		"org.opencontainers.image.title":   o.Title,
		"org.opencontainers.image.created": created.Format(time.RFC3339),
	}
	maps.Copy(labels, o.Labels)
	old, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make the image: %w", err)
	}
	config := old.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", o.Arch, v1.Time{Time: created}
	config.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", User, User),
		ExposedPorts: map[string]struct{}{fmt.Sprintf("%d/tcp", Port): {}},
		Entrypoint:   []string{BinaryPath},
		Cmd:          []string{"serve", "--addr", fmt.Sprintf(":%d", Port), "--admin", AdminAddr, "--data", DataPath},
		Volumes:      map[string]struct{}{DataPath: {}},
		WorkingDir:   "/",
		Labels:       labels,
		StopSignal:   "SIGTERM",
		Healthcheck: &v1.HealthConfig{
			Test:     []string{"CMD", BinaryPath, "health", "--admin", AdminAddr},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 3,
		},
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return nil, fmt.Errorf("make the image: %w", err)
	}
	return img, nil
}
