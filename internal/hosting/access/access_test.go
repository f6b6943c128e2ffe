package access

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func open(t *testing.T, path string) *Tokens {
	t.Helper()
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestSecretsAreKeptAsHashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	tokens := open(t, path)
	made, err := tokens.Make(api.NewToken{Name: "ci", Apps: []string{"chat"}, Rights: []api.Right{api.Deploy}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, key, _ := strings.Cut(strings.TrimPrefix(made.Secret, "party_"), "_"); len(key) != 43 || strings.Contains(string(file), key) {
		t.Errorf("the file has the secret in it, or the secret %q has no key of 256 bits", made.Secret)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	got, err := tokens.Check(made.Secret)
	if err != nil || got.Name != "ci" || !got.Allows(api.Deploy, "chat") || got.Allows(api.Read, "chat") || got.Allows(api.Deploy, "other") {
		t.Errorf("Check(secret) = %+v, %v", got, err)
	}
	flipped := []byte(made.Secret)
	flipped[len(flipped)-5] ^= 1
	other, err := tokens.Make(api.NewToken{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	mixed := made.Secret[:len("party_")+17] + other.Secret[len("party_")+17:]
	for _, secret := range []string{"", "party_", made.ID, string(flipped), made.Secret + "A", made.Secret[:len(made.Secret)-1], mixed} {
		if _, err := tokens.Check(secret); !errors.Is(err, ErrUnknown) {
			t.Errorf("Check(%q): got error %v, want ErrUnknown", secret, err)
		}
	}
}

func TestRevokeIsSeenByAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	daemon, command := open(t, path), open(t, path)
	made, err := command.Make(api.NewToken{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Check(made.Secret); err != nil {
		t.Fatalf("Check a token that another process has made: %v", err)
	}
	if err := command.Revoke(made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Check(made.Secret); !errors.Is(err, ErrUnknown) {
		t.Errorf("Check a revoked token: got error %v", err)
	}
	if err := command.Revoke(made.ID); !errors.Is(err, ErrNoToken) {
		t.Errorf("Revoke again: got error %v", err)
	}
}

func TestSeveralProcessesLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	var group sync.WaitGroup
	for p := range 4 {
		tokens := open(t, path)
		group.Go(func() {
			for n := range 10 {
				if _, err := tokens.Make(api.NewToken{Name: strconv.Itoa(p*10 + n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if list, err := open(t, path).List(); err != nil || len(list) != 40 {
		t.Errorf("there are %d tokens, %v, want 40", len(list), err)
	}
}

func TestExpiryAndLastUse(t *testing.T) {
	tokens := open(t, filepath.Join(t.TempDir(), "tokens.json"))
	now := time.Date(2030, 1, 1, 10, 30, 0, 0, time.UTC)
	tokens.now = func() time.Time { return now }
	made, err := tokens.Make(api.NewToken{Name: "short", ExpiresIn: 60})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(60 * time.Second)
	if _, err := tokens.Check(made.Secret); err != nil {
		t.Errorf("Check in its last second: %v", err)
	}
	list, err := tokens.List()
	if want := now.Truncate(time.Hour); err != nil || list[0].LastUsed == nil || !list[0].LastUsed.Equal(want) {
		t.Errorf("List() = %+v, %v, want a last use at %v", list, err, want)
	}
	now = now.Add(time.Second)
	if _, err := tokens.Check(made.Secret); !errors.Is(err, ErrUnknown) {
		t.Errorf("Check when it has expired: got error %v", err)
	}
}

func TestMakeRefuses(t *testing.T) {
	tokens := open(t, filepath.Join(t.TempDir(), "tokens.json"))
	for _, n := range []api.NewToken{
		{}, {Name: "a\nb"}, {Name: strings.Repeat("a", 201)}, {Name: "a", Apps: []string{"../x"}}, {Name: "a", Rights: []api.Right{"root"}},
		{Name: "a", ExpiresIn: -1}, {Name: "a", ExpiresIn: 1 << 40},
	} {
		if made, err := tokens.Make(n); err == nil {
			t.Errorf("Make(%+v) = %+v, want an error", n, made)
		}
	}
}

func TestTokensAreBounded(t *testing.T) {
	tokens := open(t, filepath.Join(t.TempDir(), "tokens.json"))
	tokens.tokens = make([]kept, MaxTokens)
	if err := tokens.save(); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Make(api.NewToken{Name: "one more"}); err == nil || !strings.Contains(err.Error(), "revoke some") {
		t.Errorf("Make token %d: got error %v", MaxTokens+1, err)
	}
}

func TestBrokenFileIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTokens(path); err == nil {
		t.Error("OpenTokens takes a broken file for an empty one")
	}
}

func TestLimiter(t *testing.T) {
	l := NewLimiter(2, time.Minute)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	l.now = func() time.Time { return now }
	var got []bool
	take := func(key string) {
		_, ok := l.Take(key)
		got = append(got, ok)
	}
	take("a")
	take("a")
	take("a")
	take("b")
	if wait, blocked := l.Blocked("a"); !blocked || wait.Round(time.Second) != time.Minute {
		t.Errorf("Blocked() = %v, %v, want a minute", wait, blocked)
	}
	if _, blocked := l.Blocked("b"); blocked {
		t.Error("b is blocked after one of two")
	}
	now = now.Add(time.Minute)
	take("a")
	take("a")
	if diff := cmp.Diff(got, []bool{true, true, false, true, true, false}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := NewLimiter(1, time.Hour)
	for n := range maxBuckets + 10 {
		l.Take(strconv.Itoa(n))
	}
	if n := len(l.buckets); n > maxBuckets {
		t.Errorf("the limiter remembers %d keys", n)
	}
}

func TestAddressKey(t *testing.T) {
	for ip, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "@": "@",
	} {
		if got := AddressKey(ip); got != want {
			t.Errorf("AddressKey(%q) = %q, want %q", ip, got, want)
		}
	}
}
