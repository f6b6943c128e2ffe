package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Write writes an archive that is an OCI layout and what docker load understands, of the same blobs.
func Write(w io.Writer, tag name.Tag, img v1.Image) error {
	if err := write(w, tag, img); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}

func write(w io.Writer, tag name.Tag, img v1.Image) error {
	manifest, err := img.RawManifest()
	if err != nil {
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	configName, err := img.ConfigName()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return err
	}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{{
		MediaType: types.OCIManifestSchema1, Size: int64(len(manifest)), Digest: digest,
		Platform: &v1.Platform{OS: file.OS, Architecture: file.Architecture},
		Annotations: map[string]string{
			"io.containerd.image.name":          tag.Name(),
			"org.opencontainers.image.ref.name": tag.TagStr(),
		},
	}}})
	if err != nil {
		return err
	}
	old := dockerManifest{Config: blob(configName), RepoTags: []string{tag.String()}}

	a := &tarWriter{tar.NewWriter(w), file.Created.Time}
	for _, f := range []struct {
		path string
		data []byte
	}{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", index},
		{blob(digest), manifest},
		{blob(configName), config},
	} {
		if err := a.addBlob(f.path, f.data); err != nil {
			return err
		}
	}
	for _, l := range layers {
		path, err := a.addLayer(l)
		if err != nil {
			return err
		}
		old.Layers = append(old.Layers, path)
	}
	both, err := json.Marshal([]dockerManifest{old})
	if err != nil {
		return err
	}
	if err := a.addBlob("manifest.json", both); err != nil {
		return err
	}
	return a.w.Close()
}

// dockerManifest is an entry of the manifest.json of docker save.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func blob(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// addBlob adds a file that is in memory.
func (t *tarWriter) addBlob(path string, data []byte) error {
	return t.add(tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(data))}, bytes.NewReader(data))
}

func (t *tarWriter) addLayer(l v1.Layer) (path string, err error) {
	digest, err := l.Digest()
	if err != nil {
		return "", err
	}
	size, err := l.Size()
	if err != nil {
		return "", err
	}
	content, err := l.Compressed()
	if err != nil {
		return "", err
	}
	defer content.Close()
	path = blob(digest)
	return path, t.add(tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: size}, content)
}
