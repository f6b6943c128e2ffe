package image

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// served is a registry on loopback that counts the bytes of blobs that it is sent.
type served struct {
	addr  string
	bytes atomic.Int64
}

// serveRegistry starts one; with a password it wants to be logged in to as user "ada".
func serveRegistry(t *testing.T, password string) *served {
	t.Helper()
	s := &served{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); password != "" && (!ok || user != "ada" || pass != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPatch || r.Method == http.MethodPut {
			r.Body = &countedBody{r.Body, &s.bytes}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.addr = strings.TrimPrefix(server.URL, "http://")
	return s
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func tagged(t *testing.T, text string) name.Tag {
	t.Helper()
	tag, err := Tag(text)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func TestPush(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := serveRegistry(t, "")
	tag := tagged(t, s.addr+"/team/chat:v1")
	img, err := Build(Options{Binary: binary(t), Arch: "arm64", Title: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	const kind, doc = "application/vnd.cyclonedx+json", `{"bomFormat":"CycloneDX"}`
	pushed, err := Push(t.Context(), tag, img, &Attachment{MediaType: kind, Content: []byte(doc)})
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(there); err != nil {
		t.Errorf("what the registry has: %v", err)
	}
	if got, err := there.Digest(); err != nil || got != pushed.Digest {
		t.Errorf("the registry has %v, %v; pushed was %v", got, err, pushed.Digest)
	}
	about, err := remote.Image(tag.Context().Digest(pushed.Attached.String()))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := about.Manifest()
	if err != nil || manifest.Subject == nil || manifest.Subject.Digest != pushed.Digest || manifest.Config.MediaType != kind {
		t.Fatalf("the attachment is %+v, %v", manifest, err)
	}
	if got := layerText(t, about); got != doc {
		t.Errorf("attached is %q, want %q", got, doc)
	}
	found, err := remote.Referrers(tag.Context().Digest(pushed.Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	if index, err := found.IndexManifest(); err != nil || len(index.Manifests) != 1 || index.Manifests[0].Digest != pushed.Attached {
		t.Errorf("by the image's digest one finds %+v, %v", index, err)
	}
}

func layerText(t *testing.T, img v1.Image) string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	r, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPushOnlyWhatIsNew: another version of a program shares all but the layer with the binary.
func TestPushOnlyWhatIsNew(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := serveRegistry(t, "")
	var sent []int64
	for n := range 2 {
		path := filepath.Join(t.TempDir(), "app")
		if err := os.WriteFile(path, fmt.Appendf(nil, "%s %d", program, n), 0o755); err != nil {
			t.Fatal(err)
		}
		img, err := Build(Options{Binary: path, Arch: "amd64"})
		if err != nil {
			t.Fatal(err)
		}
		before := s.bytes.Load()
		if _, err := Push(t.Context(), tagged(t, fmt.Sprintf("%s/chat:v%d", s.addr, n)), img, nil); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, s.bytes.Load()-before)
	}
	if sent[0] < 100_000 || sent[1] > 10_000 {
		t.Errorf("sent %d bytes and then %d: the certificates once, or so it should be", sent[0], sent[1])
	}
}

func TestPushWithPassword(t *testing.T) {
	s := serveRegistry(t, "secret")
	config := t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	img, err := Build(Options{Binary: binary(t), Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	tag := tagged(t, s.addr+"/chat")
	if _, err := Push(t.Context(), tag, img, nil); err == nil || !strings.Contains(err.Error(), "docker login "+s.addr) {
		t.Errorf("without credentials: got %v, want an error that says how to log in", err)
	}
	auth := map[string]any{"auths": map[string]any{s.addr: map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("ada:secret"))}}}
	data, err := json.Marshal(auth)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Push(t.Context(), tag, img, nil); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

func TestPushToNobody(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	img, err := Build(Options{Binary: binary(t), Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Push(t.Context(), tagged(t, "127.0.0.1:1/chat"), img, nil); err == nil || !strings.Contains(err.Error(), "push 127.0.0.1:1/chat") {
		t.Errorf("got %v, want an error that names the image", err)
	}
}
