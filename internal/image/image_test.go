package image

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const program = "\x7fELF, as far as this test is concerned"

func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whatever")
	if err := os.WriteFile(path, []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func archived(t *testing.T, o Options, name string) []byte {
	t.Helper()
	tag, err := Tag(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Build(o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, tag, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// extract unpacks an archive to a folder.
func extract(t *testing.T, archive []byte) string {
	t.Helper()
	dir := t.TempDir()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		var data []byte
		if err == nil {
			data, err = io.ReadAll(r)
		}
		path := filepath.Join(dir, h.Name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSameBytes packs one binary twice, from two places and at two times.
func TestSameBytes(t *testing.T) {
	one := archived(t, Options{Binary: binary(t), Arch: "amd64", Title: "chat"}, "chat")
	again := binary(t)
	if err := os.Chtimes(again, time.Now(), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if two := archived(t, Options{Binary: again, Arch: "amd64", Title: "chat"}, "chat"); !bytes.Equal(one, two) {
		t.Error("the same input gives other bytes")
	}
	if other := archived(t, Options{Binary: again, Arch: "arm64", Title: "chat"}, "chat"); bytes.Equal(one, other) {
		t.Error("another architecture gives the same bytes")
	}
}

// TestArchive reads it as an OCI layout and as what docker save writes.
func TestArchive(t *testing.T) {
	created := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	archive := archived(t, Options{Binary: binary(t), Arch: "arm64", Title: "chat", Created: created, Labels: map[string]string{"team": "red"}}, "example.com/team/chat:v1")
	dir := extract(t, archive)
	p, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := p.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("the OCI layout: %v", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("got index %+v, %v", manifest, err)
	}
	if got := manifest.Manifests[0].Platform; got.OS != "linux" || got.Architecture != "arm64" {
		t.Errorf("got platform %v", got)
	}
	asOCI, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := asOCI.MediaType(); got != types.OCIManifestSchema1 || err != nil {
		t.Errorf("got media type %v, %v", got, err)
	}
	tag, err := Tag("example.com/team/chat:v1")
	if err != nil {
		t.Fatal(err)
	}
	asDocker, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, &tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(asDocker); err != nil {
		t.Errorf("as docker load reads it: %v", err)
	}

	config, err := asOCI.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User: "65532:65532", ExposedPorts: map[string]struct{}{"8080/tcp": {}}, Volumes: map[string]struct{}{"/data": {}},
		Entrypoint: []string{"/app"}, Cmd: []string{"serve", "--addr", ":8080", "--admin", "127.0.0.1:9090", "--data", "/data"},
		WorkingDir: "/", StopSignal: "SIGTERM",
		Labels: map[string]string{"team": "red", "org.opencontainers.image.title": "chat", "org.opencontainers.image.created": "2026-11-20T10:00:00Z"},
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/app", "health", "--admin", "127.0.0.1:9090"}, Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second, Retries: 3,
		},
	}
	if diff := cmp.Diff(config.Config, want); diff != "" {
		t.Errorf("config (-got +want):\n%s", diff)
	}
	if !config.Created.Equal(created) || config.OS != "linux" || config.Architecture != "arm64" {
		t.Errorf("got %s/%s of %v", config.OS, config.Architecture, config.Created)
	}
	dockerConfig, err := asDocker.ConfigName()
	if ociConfig, errOCI := asOCI.ConfigName(); err != nil || errOCI != nil || dockerConfig != ociConfig {
		t.Errorf("the two forms have the configs %v and %v (%v, %v)", dockerConfig, ociConfig, err, errOCI)
	}
}

func TestLayers(t *testing.T) {
	img, err := Build(Options{Binary: binary(t), Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 2 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	type file struct {
		Mode int64
		UID  int
		Data string
	}
	for n, want := range []map[string]file{
		{
			"data/": {0o700, User, ""}, "etc/": {0o755, 0, ""}, "etc/passwd": {0o644, 0, passwd}, "etc/group": {0o644, 0, group},
			"etc/ssl/": {0o755, 0, ""}, "etc/ssl/certs/": {0o755, 0, ""}, "etc/ssl/certs/ca-certificates.crt": {0o644, 0, roots()}, "tmp/": {0o1777, 0, ""},
		},
		{"app": {0o755, 0, program}},
	} {
		content, err := layers[n].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		got := make(map[string]file)
		for r := tar.NewReader(content); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if h.ModTime.Unix() != 0 {
				t.Errorf("%s is of %v", h.Name, h.ModTime)
			}
			got[h.Name] = file{h.Mode, h.Uid, string(data)}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("files of layer %d (-got +want):\n%s", n, diff)
		}
	}
}

// TestRoots reads the certificates as a program in the image would.
func TestRoots(t *testing.T) {
	n := 0
	for rest := []byte(roots()); len(rest) > 0; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			t.Fatal("something that is no certificate")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
	}
	if n < 50 {
		t.Errorf("got %d certificates, want more than 50", n)
	}
}

func TestTag(t *testing.T) {
	for text, want := range map[string]string{
		"chat":                     "index.docker.io/library/chat:latest",
		"team/chat:v1":             "index.docker.io/team/chat:v1",
		"localhost:5000/chat:v1.2": "localhost:5000/chat:v1.2",
	} {
		if got, err := Tag(text); err != nil || got.Name() != want {
			t.Errorf("Tag(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "Chat", "chat:", "chat:a b", "chat@sha256:00", "../chat"} {
		if got, err := Tag(text); err == nil {
			t.Errorf("Tag(%q) = %v, want an error", text, got)
		}
	}
}

func TestNoBinary(t *testing.T) {
	if _, err := Build(Options{Binary: filepath.Join(t.TempDir(), "none"), Arch: "amd64"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, os.ErrNotExist)
	}
}

// TestIndexIsJSON keeps the file that tools read first readable.
func TestIndexIsJSON(t *testing.T) {
	dir := extract(t, archived(t, Options{Binary: binary(t), Arch: "amd64"}, "chat"))
	for _, name := range []string{"index.json", "manifest.json", "oci-layout"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !json.Valid(data) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
