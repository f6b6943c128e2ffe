package credentials

import (
	"cmp"
	"errors"
	"fmt"
)

// Names of the environment variables that say where to go and with what.
const (
	EnvHost  = "PARTY_HOST"
	EnvToken = "PARTY_TOKEN"
)

// Login is a host with the token for it.
type Login struct {
	Address string // in its normal form, see Address
	Token   Secret // empty if none is known
	FromEnv bool   // the token is that of the environment
}

// ErrNoHost is returned when nothing says which host is meant.
var ErrNoHost = errors.New("no host is known")

// Wish says which host somebody means. The first of these that is not empty counts: Flag, the
// environment's PARTY_HOST, Manifest, and then the current host of the file.
type Wish struct {
	Flag     string
	Manifest string
	Getenv   func(string) string // usually os.Getenv
}

// Find returns the host that is meant with its token. That is the environment's PARTY_TOKEN, unless
// PARTY_HOST names another host than the one that is meant, and else the one in the file.
// A login without a token is no error.
func (f *File) Find(w Wish) (Login, error) {
	current, _, err := f.Hosts()
	envToken := w.Getenv(EnvToken)
	if err != nil && envToken == "" {
		return Login{}, err
	}
	text := cmp.Or(w.Flag, w.Getenv(EnvHost), w.Manifest, current)
	if text == "" {
		return Login{}, fmt.Errorf("%w: run \"party login --host URL\", set %s, or name it with --host", ErrNoHost, EnvHost)
	}
	l := Login{}
	if l.Address, err = Address(text); err != nil {
		return Login{}, err
	}
	if envToken != "" {
		only := l.Address
		if env := w.Getenv(EnvHost); env != "" {
			if only, err = Address(env); err != nil {
				return Login{}, fmt.Errorf("%s: %w", EnvHost, err)
			}
		}
		if only == l.Address {
			l.Token, l.FromEnv = NewSecret(envToken), true
			return l, nil
		}
	}
	l.Token, err = f.Token(l.Address)
	return l, err
}
