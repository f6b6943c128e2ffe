package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

const appsAnswer = `[{"name": "chat", "url": "https://chat.example.com", "state": "running"}]`

func TestAsksWithTheTokenAndReadsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != "Bearer "+testToken {
				t.Errorf("Authorization %q", got)
			}
			if r.Method+" "+r.URL.String() != "GET "+api.AppsPath || r.UserAgent() != "party test" {
				t.Errorf("got %s %s of %s", r.Method, r.URL, r.UserAgent())
			}
			io.WriteString(w, appsAnswer)
		})
		apps, err := c.Apps(t.Context())
		if err != nil || len(apps) != 1 || apps[0].Name != "chat" || apps[0].State != api.Running {
			t.Errorf("Apps() = %+v, %v", apps, err)
		}
	})
}

func TestAsksAgain(t *testing.T) {
	get := func(ctx context.Context, c *Client) error {
		_, err := c.Apps(ctx)
		return err
	}
	post := func(ctx context.Context, c *Client) error {
		_, err := c.NewBackup(ctx, "chat")
		return err
	}
	for _, test := range []struct {
		name   string
		status int
		after  string // Retry-After
		ask    func(context.Context, *Client) error
		asked  int // times
		passed time.Duration
	}{
		{"unavailable", 503, "7", get, 3, 14 * time.Second},
		{"nothing was done, so a POST as well", 429, "1", post, 3, 2 * time.Second},
		{"a proxy lost it", 502, "", get, 3, 750 * time.Millisecond},
		{"a proxy lost it, and it may have been heard", 502, "", post, 1, 0},
		{"a fault", 500, "", get, 1, 0},
		{"refused", 403, "", get, 1, 0},
		{"told to stay away for long", 429, "31", get, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if asked++; asked < 3 {
						w.Header().Set("Retry-After", test.after)
						w.WriteHeader(test.status)
						io.WriteString(w, `{"error": {"code": "internal", "message": "not now"}}`)
						return
					}
					if r.Method == http.MethodGet {
						io.WriteString(w, appsAnswer)
					} else {
						io.WriteString(w, `{}`)
					}
				})
				began := time.Now()
				err := test.ask(t.Context(), c)
				if asked != test.asked || (err == nil) != (asked == 3) {
					t.Errorf("asked %d times, want %d; %v", asked, test.asked, err)
				}
				if passed := time.Since(began); passed < test.passed || passed > 2*test.passed+time.Second {
					t.Errorf("took %v, want about %v", passed, test.passed)
				}
			})
		})
	}
}

func TestAConnectionThatWasNotMadeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := New(Options{Address: "http://host.localhost", Dial: func(context.Context, string, string) (net.Conn, error) {
			tries++
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}})
		_, err := c.NewBackup(t.Context(), "chat")
		if err == nil || !strings.Contains(err.Error(), "nothing answers at http://host.localhost") || tries != attempts {
			t.Errorf("got error %v after %d tries, want %d", err, tries, attempts)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		tries = 0
		if _, err := c.NewBackup(ctx, "chat"); err == nil || !strings.Contains(err.Error(), "enough") || tries >= attempts {
			t.Errorf("with a deadline: got error %v after %d tries", err, tries)
		}
	})
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"the host's words", 409, `{"error": {"code": "destructive", "message": "it deletes 3 rooms", "hint": "allow it"}}`, "it deletes 3 rooms: allow it"},
		{"no token", 401, `{"error": {"code": "unauthorized", "message": "the token is not known"}}`, `the token is not known: run "party login --host http://host.localhost"`},
		{"something else", 404, `<h1>not here</h1>`, "http://host.localhost answers 404 Not Found: that is not the API of a party host"},
		{"a page", 200, `<h1>welcome</h1>`, "answer of http://host.localhost: invalid character"},
		{"another place", 301, ``, "redirects to https://other.example/: that is not the API"},
		{"a broken host", 500, ``, "http://host.localhost answers 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if test.status == 301 {
						w.Header().Set("Location", "https://other.example/")
					}
					w.WriteHeader(test.status)
					io.WriteString(w, test.body)
				})
				_, err := c.Apps(t.Context())
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got error %v, want %q in it", err, test.want)
				}
				if problem := (*api.Problem)(nil); errors.As(err, &problem) && problem.Status != test.status {
					t.Errorf("the problem's status is %d, want %d", problem.Status, test.status)
				}
				if err != nil && strings.Contains(fmt.Sprintf("%+v", err), testToken) {
					t.Errorf("the token is in the error %+v", err)
				}
			})
		})
	}
}

func TestAForeignCertificateIsSaidAtOnce(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told of the handshake that fails
	var conns atomic.Int32
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	srv.StartTLS()
	defer srv.Close()
	_, err := New(Options{Address: srv.URL}).Apps(t.Context())
	if err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") || conns.Load() != 1 {
		t.Errorf("got error %v after %d connections, want SSL_CERT_FILE in it and one", err, conns.Load())
	}
}

func TestUpload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app")
	content := strings.Repeat("party", 100_000)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	blob, err := NewBlob(path)
	if err != nil || blob.Size != int64(len(content)) || !api.IsHash(blob.Hash) {
		t.Fatalf("NewBlob() = %+v, %v", blob, err)
	}
	synctest.Test(t, func(t *testing.T) {
		var got string
		puts := 0
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != api.BlobPath("chat", blob.Hash) {
				t.Errorf("asked for %s", r.URL.Path)
			}
			if r.Method == http.MethodHead {
				if got == "" {
					w.WriteHeader(http.StatusNotFound)
				}
				return
			}
			if puts++; puts == 1 {
				io.CopyN(io.Discard, r.Body, 1000)
				panic(http.ErrAbortHandler) // the connection breaks in the middle
			}
			if r.ContentLength != blob.Size {
				t.Errorf("Content-Length %d, want %d", r.ContentLength, blob.Size)
			}
			data, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got = string(data)
			w.WriteHeader(http.StatusNoContent)
		})
		var last int64
		skipped, err := c.Upload(t.Context(), "chat", blob, func(sent int64) { last = sent })
		if skipped || err != nil || got != content || last != blob.Size || puts != 2 {
			t.Errorf("Upload() = %v, %v; %d bytes in %d attempts came, and %d were told", skipped, err, len(got), puts, last)
		}
		skipped, err = c.Upload(t.Context(), "chat", blob, func(int64) { t.Error("something was sent again") })
		if !skipped || err != nil || puts != 2 {
			t.Errorf("Upload again = %v, %v, %d attempts", skipped, err, puts)
		}
	})
}

func TestUploadThatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, []byte("party"), 0o600); err != nil {
		t.Fatal(err)
	}
	blob, err := NewBlob(path)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusForbidden)
			}
		})
		_, err := c.Upload(t.Context(), "chat", blob, nil)
		if problem := (*api.Problem)(nil); !errors.As(err, &problem) || problem.Status != http.StatusForbidden {
			t.Errorf("got error %v, want the host's 403", err)
		}
	})
}
