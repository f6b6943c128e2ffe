//go:build unix

package hosting

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// token makes a token.
func (s *site) newToken(apps []string, rights ...api.Right) string {
	s.t.Helper()
	var made api.TokenMade
	s.want(200, "POST", api.TokensPath, api.NewToken{Name: "some", Apps: apps, Rights: rights}, &made)
	return made.Secret
}

func TestScopesAndRights(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	s.deploy("game", "v1")
	s.want(200, "POST", api.AppPath("chat", api.BackupsPath), nil, nil)
	blob := hash(program(t, "v1"))
	backup := "20300101T000000.000Z-asked"
	// What each right is for. Whoever may gets another answer than "forbidden".
	questions := map[string]api.Right{
		"GET " + api.AppPath("chat", ""):                             api.Read,
		"GET " + api.AppPath("chat", api.VersionsPath):               api.Read,
		"GET " + api.AppPath("chat", api.DomainsPath):                api.Read,
		"GET " + api.AppPath("chat", api.LogsPath):                   api.Read,
		"GET " + api.AppPath("chat", api.BackupsPath):                api.Read,
		"HEAD " + api.BlobPath("chat", blob):                         api.Deploy,
		"PUT " + api.BlobPath("chat", blob):                          api.Deploy,
		"POST " + api.AppPath("chat", api.PlanPath):                  api.Deploy,
		"POST " + api.AppPath("chat", api.DeployPath):                api.Deploy,
		"POST " + api.AppPath("chat", api.RollbackPath):              api.Deploy,
		"POST " + api.AppPath("chat", api.RestartPath):               api.Deploy,
		"PUT " + api.AppPath("chat", api.DomainsPath):                api.Deploy,
		"DELETE " + api.AppPath("chat--absent", ""):                  api.Deploy,
		"DELETE " + api.AppPath("chat", "") + "?purge=true":          api.Admin,
		"PATCH " + api.AppPath("chat--absent", ""):                   api.Admin,
		"GET " + api.AppPath("chat", api.EnvPath):                    api.EnvVar,
		"GET " + api.AppPath("chat", api.EnvValuesPath):              api.EnvVar,
		"PATCH " + api.AppPath("chat", api.EnvPath):                  api.EnvVar,
		"PUT " + api.AppPath("chat--absent", api.EnvPath):            api.EnvVar,
		"DELETE " + api.EnvVarPath("chat", "A"):                      api.EnvVar,
		"GET " + api.AppPath("chat", api.RoomPath):                   api.Data,
		"PUT " + api.AppPath("chat", api.RoomPath):                   api.Data,
		"POST " + api.AppPath("chat--absent", api.BackupsPath):       api.Data,
		"GET " + api.BackupFilePath("chat", backup):                  api.Data,
		"DELETE " + api.BackupFilePath("chat", backup):               api.Admin,
		"POST " + api.RestorePath("chat", backup):                    api.Admin,
		"GET " + api.TokensPath:                                      "",
		"POST " + api.TokensPath:                                     "",
		"DELETE " + api.TokenPath("0123456789abcdef"):                "",
		"GET " + api.AppPath("game", ""):                             "",
		"POST " + api.AppPath("game", api.DeployPath):                "",
		"GET " + api.AppPath("game", api.EnvValuesPath):              "",
		"GET " + api.AppPath("absent", api.LogsPath):                 "",
		"PUT " + api.BlobPath("absent", blob):                        "",
		"GET " + api.AppPath("chatter", ""):                          "",
		"GET " + api.AppPath("chat--absent", "") + "?right=inherits": api.Read,
	}
	for _, right := range api.Rights() {
		if right == api.Admin {
			continue // it could do away with the app
		}
		token := s.newToken([]string{"chat"}, right)
		for question, needs := range questions {
			if right == api.Deploy && strings.HasPrefix(question, "PUT") && strings.Contains(question, "blobs") {
				continue // it counts as an upload
			}
			method, path, _ := strings.Cut(question, " ")
			r := s.ask(token, method, path, nil)
			if got := r.status == http.StatusForbidden; got != (needs != right) {
				t.Errorf("%s with the right %s in chat: got %d %s, want forbidden: %v", question, right, r.status, r.body, !got)
			}
		}
	}
	// Variables in a deploy need their own right.
	token := s.newToken([]string{"chat"}, api.Deploy)
	q := api.DeployRequest{Binary: blob, Vars: map[string]string{"A": "1"}}
	s.ask(token, "POST", api.AppPath("chat", api.DeployPath), q).failure(t, "deploy with variables", api.CodeForbidden)
	// An admin of one app is none of tokens.
	token = s.newToken([]string{"chat"}, api.Admin)
	s.ask(token, "GET", api.TokensPath, nil).failure(t, "tokens with the right admin in chat", api.CodeForbidden)
	if r := s.ask(token, "GET", api.AppsPath, nil); bytes.Contains(r.body, []byte("game")) || !bytes.Contains(r.body, []byte("chat")) {
		t.Errorf("a token for chat sees the apps %s", r.body)
	}
	var who api.Whoami
	s.want(200, "GET", api.WhoamiPath, nil, &who)
	if who.Token.Name != "all" || who.Host.System == "" || who.Host.Domain != "apps.test" || who.Host.API != api.Revision {
		t.Errorf("whoami: %+v", who)
	}
}

func TestTokensOverTheAPI(t *testing.T) {
	s := newSite(t)
	token := s.newToken(nil, api.Read)
	var list []api.Token
	s.want(200, "GET", api.TokensPath, nil, &list)
	r := s.ask(s.token, "GET", api.TokensPath, nil)
	if _, key, _ := strings.Cut(strings.TrimPrefix(token, "party_"), "_"); len(list) != 2 || bytes.Contains(r.body, []byte(key)) || bytes.Contains(r.body, []byte("sha256")) {
		t.Errorf("the list of tokens is %s", r.body)
	}
	s.ask(s.token, "POST", api.TokensPath, api.NewToken{Name: "x", Rights: []api.Right{"all"}}).failure(t, "a right that is none", api.CodeBadRequest)
	// Who logs out gives its own token up.
	if r := s.ask(token, "DELETE", api.TokenPath(list[1].ID), nil); r.status != http.StatusNoContent {
		t.Errorf("revoke one's own: %d %s", r.status, r.body)
	}
	s.ask(token, "GET", api.WhoamiPath, nil).failure(t, "with a revoked token", api.CodeUnauthorized)
	s.ask(s.token, "DELETE", api.TokenPath(list[1].ID), nil).failure(t, "revoke again", api.CodeNotFound)
}

func TestBrowsersAreRefused(t *testing.T) {
	s := newSite(t)
	for name, value := range map[string]string{"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"} {
		req, err := http.NewRequest("GET", s.url+api.WhoamiPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set(name, value)
		s.send(req).failure(t, "with "+name, api.CodeForbidden)
	}
	// Only the header counts.
	req, err := http.NewRequest("GET", s.url+api.WhoamiPath+"?token="+s.token+"&access_token="+s.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "token", Value: s.token})
	req.SetBasicAuth("token", s.token)
	s.send(req).failure(t, "with a token anywhere else", api.CodeUnauthorized)
	r := s.ask("", "OPTIONS", api.AppsPath, nil)
	if r.header.Get("Access-Control-Allow-Origin") != "" || r.status == http.StatusOK {
		t.Errorf("a preflight gets %d %v", r.status, r.header)
	}
}

func TestWrongTokensAreSlowedDown(t *testing.T) {
	s := newSite(t)
	for range 10 {
		s.ask("party_0000000000000000_"+strings.Repeat("A", 43), "GET", api.WhoamiPath, nil).failure(t, "a wrong token", api.CodeUnauthorized)
	}
	r := s.ask("wrong", "GET", api.WhoamiPath, nil)
	r.failure(t, "wrong token 11", api.CodeTooMany)
	if r.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	if strings.Contains(s.log.String(), "AAAA") {
		t.Error("tokens are in the log")
	}
}

func TestUploads(t *testing.T) {
	s := newSite(t, func(o *Options) { o.MaxBlob = 1000 })
	path := api.BlobPath("chat", strings.Repeat("0", 64))
	s.ask(s.token, "PUT", path, "text").failure(t, "a wrong hash", api.CodeWrongHash)
	big := bytes.Repeat([]byte("a"), 1001)
	s.ask(s.token, "PUT", api.BlobPath("chat", hash(big)), big).failure(t, "too large", api.CodeTooLarge)
	req, err := http.NewRequest("PUT", s.url+api.BlobPath("chat", hash(big)), struct{ *bytes.Reader }{bytes.NewReader(big)}) // of a length that is not said
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	s.send(req).failure(t, "too large, in chunks", api.CodeTooLarge)
	for _, name := range []string{"..", "%2e%2e", "..%2f..%2fx", "a%2fb", "%00", strings.ToUpper(hash(big)), strings.Repeat("0", 63), "tmp-1"} {
		if r := s.ask(s.token, "PUT", "/v1/apps/chat/blobs/"+name, "text"); r.status < 400 || r.status >= 500 {
			t.Errorf("the blob %q: got %d %s", name, r.status, r.body)
		}
	}
	for _, name := range []string{"..", "%2e%2e", "..%2fx", "A", "a.b", "a---b", "%00"} {
		if r := s.ask(s.token, "PUT", "/v1/apps/"+name+"/blobs/"+hash([]byte("text")), "text"); r.status < 400 || r.status >= 500 {
			t.Errorf("the app %q: got %d %s", name, r.status, r.body)
		}
	}
	var files []string
	err = filepath.WalkDir(s.opts.Data, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, "uploads") && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) > 0 {
		t.Errorf("refused uploads have left %v, %v", files, err)
	}
	if r := s.ask(s.token, "HEAD", path, nil); r.status != http.StatusNotFound {
		t.Errorf("a blob that was refused is there: %d", r.status)
	}
}

func TestUploadsAreBounded(t *testing.T) {
	s := newSite(t)
	var last string
	for n := range maxUploads + 2 {
		data := []byte{byte(n)}
		last = hash(data)
		s.want(204, "PUT", api.BlobPath("chat", last), data, nil)
	}
	if files, err := os.ReadDir(s.host.layout.uploads("chat")); err != nil || len(files) != maxUploads {
		t.Errorf("there are %d uploads, %v, want %d", len(files), err, maxUploads)
	}
	if r := s.ask(s.token, "HEAD", api.BlobPath("chat", last), nil); r.status != http.StatusOK {
		t.Errorf("the last upload: %d", r.status)
	}
	if r := s.ask(s.token, "HEAD", api.BlobPath("other", last), nil); r.status != http.StatusNotFound {
		t.Errorf("another app's upload is told: %d", r.status)
	}
	s.host.cleanUploads(time.Now().Add(keepUploads + time.Hour))
	if r := s.ask(s.token, "HEAD", api.BlobPath("chat", last), nil); r.status != http.StatusNotFound {
		t.Errorf("after a day: %d", r.status)
	}
	// Twenty uploads at once are what a token has.
	for range 20 - (maxUploads + 2) {
		s.want(204, "PUT", api.BlobPath("chat", last), []byte{maxUploads + 1}, nil)
	}
	r := s.ask(s.token, "PUT", api.BlobPath("chat", last), []byte{maxUploads + 1})
	r.failure(t, "upload 21", api.CodeTooMany)
}

func TestUnknownPaths(t *testing.T) {
	s := newSite(t)
	s.ask(s.token, "GET", "/v1/nothing", nil).failure(t, "a path that is none", api.CodeNotFound)
	s.ask("", "GET", "/v1/nothing", nil).failure(t, "without a token", api.CodeUnauthorized)
	if r := s.ask("", "GET", "/healthz", nil); r.status != http.StatusOK {
		t.Errorf("/healthz: %d", r.status)
	}
}
