//go:build unix

package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/internal/hosting/api"
)

// Limits of tokens.
const (
	MaxTokens = 1000
	maxName   = 200
)

// Errors of tokens.
var (
	// ErrUnknown says that a secret is no token's, or that its token was revoked or has expired. Which one is not told.
	ErrUnknown = errors.New("the token is not known")
	// ErrNoToken says that there is no token with an ID.
	ErrNoToken = errors.New("there is no such token")
)

// Tokens are the tokens of a host, in a file. Its methods are safe for concurrent use, also by several processes.
type Tokens struct {
	path string
	now  func() time.Time

	mu     sync.Mutex // guards what follows
	read   fs.FileInfo
	tokens []kept
}

// kept is a token as it stands in the file.
type kept struct {
	api.Token
	Hash []byte `json:"sha256"`
}

// OpenTokens uses the file at path, which need not exist.
func OpenTokens(path string) (*Tokens, error) {
	t := &Tokens{path: path, now: time.Now}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.refresh()
}

// List returns the tokens, oldest first.
func (t *Tokens) List() ([]api.Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refresh(); err != nil {
		return nil, err
	}
	list := make([]api.Token, 0, len(t.tokens))
	for _, k := range t.tokens {
		list = append(list, k.Token)
	}
	return list, nil
}

// Make makes a token. The error is for whoever has asked.
func (t *Tokens) Make(n api.NewToken) (*api.TokenMade, error) {
	if err := check(&n); err != nil {
		return nil, err
	}
	id, secret, hash := newSecret()
	now := t.now().UTC().Truncate(time.Second)
	made := &api.TokenMade{Token: api.Token{ID: id, Name: n.Name, Apps: n.Apps, Rights: n.Rights, Created: now}, Secret: secret}
	if n.ExpiresIn > 0 {
		end := now.Add(time.Duration(n.ExpiresIn) * time.Second)
		made.Expires = &end
	}
	return made, t.change(func() error {
		if len(t.tokens) >= MaxTokens {
			return fmt.Errorf("there are %d tokens, which is the limit: revoke some", MaxTokens)
		}
		t.tokens = append(t.tokens, kept{made.Token, hash})
		return nil
	})
}

// maxExpiry is how far away the end of a token may be.
const maxExpiry = 10 * 365 * 24 * 60 * 60

// check looks at what is asked for, and fills defaults in.
func check(n *api.NewToken) error {
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "" || len(n.Name) > maxName || strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("name %q: want 1 to %d bytes of printable text that says whose token it is", n.Name, maxName)
	case n.ExpiresIn < 0 || n.ExpiresIn > maxExpiry:
		return fmt.Errorf("a token cannot expire in %d seconds: want 0, for never, to ten years", n.ExpiresIn)
	}
	for _, app := range n.Apps {
		if err := api.CheckInstance(app); err != nil {
			return err
		}
	}
	if len(n.Rights) == 0 {
		n.Rights = []api.Right{api.Read, api.Deploy, api.EnvVar, api.Data}
	}
	for _, r := range n.Rights {
		if !slices.Contains(api.Rights(), r) {
			return fmt.Errorf("there is no right %q: want some of %q", r, api.Rights())
		}
	}
	return nil
}

// Revoke removes a token. The error is ErrNoToken if it is not there.
func (t *Tokens) Revoke(id string) error {
	return t.change(func() error {
		n := slices.IndexFunc(t.tokens, func(k kept) bool { return k.ID == id })
		if n < 0 {
			return ErrNoToken
		}
		t.tokens = slices.Delete(t.tokens, n, n+1)
		return nil
	})
}

// usedEvery is how exactly the last use of a token is kept.
const usedEvery = time.Hour

// Check returns the token of a secret, or ErrUnknown. How long it takes does not tell how much of a secret is right.
func (t *Tokens) Check(secret string) (*api.Token, error) {
	id, ok := idOf(secret)
	if !ok {
		return nil, ErrUnknown
	}
	t.mu.Lock()
	err := t.refresh()
	n := slices.IndexFunc(t.tokens, func(k kept) bool { return k.ID == id })
	var k kept
	if n >= 0 {
		k = t.tokens[n]
	}
	t.mu.Unlock()
	if err != nil {
		return nil, err
	}
	now := t.now()
	if n < 0 || !same(k.Hash, secret) || k.Expires != nil && now.After(*k.Expires) {
		return nil, ErrUnknown
	}
	if k.LastUsed == nil || now.Sub(*k.LastUsed) >= usedEvery {
		if err := t.used(id, now.UTC().Truncate(usedEvery)); err != nil {
			return nil, err
		}
	}
	return &k.Token, nil
}

// used notes the use of a token, unless it was revoked this moment.
func (t *Tokens) used(id string, when time.Time) error {
	return t.change(func() error {
		for n := range t.tokens {
			if t.tokens[n].ID == id {
				t.tokens[n].LastUsed = &when
			}
		}
		return nil
	})
}

// refresh reads the file if it is another one than last time. Writers replace it whole.
func (t *Tokens) refresh() error {
	info, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		t.read, t.tokens = nil, nil
		return nil
	}
	if err == nil && t.read != nil && os.SameFile(info, t.read) && info.ModTime().Equal(t.read.ModTime()) && info.Size() == t.read.Size() {
		return nil
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(t.path)
	}
	var list []kept
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		return fmt.Errorf("read the tokens: %w", err)
	}
	t.read, t.tokens = info, list
	return nil
}

// change changes the file while no other process does.
func (t *Tokens) change(do func() error) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	lock, err := os.OpenFile(t.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the tokens: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the tokens: %w", err)
	}
	if err := t.refresh(); err != nil {
		return err
	}
	before := slices.Clone(t.tokens)
	if err := do(); err != nil {
		t.tokens = before
		return err
	}
	if err := t.save(); err != nil {
		t.tokens = before
		return fmt.Errorf("save the tokens: %w", err)
	}
	return nil
}

func (t *Tokens) save() error {
	data, err := json.MarshalIndent(t.tokens, "", "  ")
	if err == nil {
		err = durable.WriteFile(t.path, append(data, '\n'), 0o600)
	}
	if err == nil {
		t.read, err = os.Stat(t.path)
	}
	return err
}
