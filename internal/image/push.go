package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Attachment is a document about an image that a registry keeps beside it, to be found by the image's digest
// (a referrer, as the OCI distribution specification 1.1 calls it).
type Attachment struct {
	MediaType string // of the document
	Content   []byte
}

// Pushed is what a registry has taken.
type Pushed struct {
	Digest   v1.Hash // of the image
	Attached v1.Hash // of the attachment's manifest; zero if there was none
}

// Push sends an image to the registry that its tag names, and with it what is attached. What the registry has already
// is not sent again. Credentials are those of docker login and of podman login. A registry on this machine, by the
// name localhost or a loopback address, is spoken to by HTTP if it has no TLS.
func Push(ctx context.Context, tag name.Tag, img v1.Image, attached *Attachment) (Pushed, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("party")}
	digest, err := img.Digest()
	if err != nil {
		return Pushed{}, fmt.Errorf("push %s: %w", tag, err)
	}
	if err := remote.Write(tag, img, options...); err != nil {
		return Pushed{}, refused(tag, err)
	}
	p := Pushed{Digest: digest}
	if attached == nil {
		return p, nil
	}
	doc, err := attached.image(img, digest)
	if err == nil {
		p.Attached, err = doc.Digest()
	}
	if err != nil {
		return p, fmt.Errorf("push what is attached to %s: %w", tag, err)
	}
	if err := remote.Write(tag.Context().Digest(p.Attached.String()), doc, options...); err != nil {
		return p, fmt.Errorf("attach to %s: %w", tag, err)
	}
	return p, nil
}

// image is the attachment as registries store it: an image of one layer that is no file system, about another.
func (a *Attachment) image(subject v1.Image, digest v1.Hash) (v1.Image, error) {
	size, err := subject.Size()
	if err != nil {
		return nil, err
	}
	doc, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{Layer: static.NewLayer(a.Content, types.MediaType(a.MediaType))})
	if err != nil {
		return nil, err
	}
	// The type of the configuration says what an artifact is.
	doc = mutate.ConfigMediaType(doc, types.MediaType(a.MediaType))
	about, ok := mutate.Subject(doc, v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: size, Digest: digest}).(v1.Image)
	if !ok {
		return nil, errors.New("an image with a subject is no image")
	}
	return about, nil
}

// refused explains what a registry has said to somebody who may have to log in.
func refused(tag name.Tag, err error) error {
	var answer *transport.Error
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return fmt.Errorf("push %s: %s does not let you: log in with \"docker login %s\" and try again: %w", tag, tag.RegistryStr(), tag.RegistryStr(), err)
	}
	return fmt.Errorf("push %s: %w", tag, err)
}
