package remote

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/user"
)

// Target names a server and who to be there.
type Target struct {
	User, Host, Port string
}

// ParseTarget reads ssh://[USER@]HOST[:PORT]. Without a user it is that of this process, without a port 22.
func ParseTarget(address string) (Target, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ssh" || u.Hostname() == "" {
		return Target{}, fmt.Errorf("server %q: want ssh://USER@HOST[:PORT]", address)
	}
	t := Target{User: u.User.Username(), Host: u.Hostname(), Port: cmp.Or(u.Port(), "22")}
	if t.User == "" {
		if t.User, err = currentUser(); err != nil {
			return Target{}, fmt.Errorf("server %q: name the user: ssh://USER@%s", address, t.Host)
		}
	}
	return t, nil
}

func currentUser() (string, error) {
	if name := cmp.Or(os.Getenv("USER"), os.Getenv("LOGNAME")); name != "" {
		return name, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

// String is the target as ParseTarget reads it.
func (t Target) String() string {
	host := t.Host
	if t.Port != "22" {
		host = t.address()
	} else if net.ParseIP(host) != nil && net.ParseIP(host).To4() == nil {
		host = "[" + host + "]"
	}
	return (&url.URL{Scheme: "ssh", User: url.User(t.User), Host: host}).String()
}

func (t Target) address() string { return net.JoinHostPort(t.Host, t.Port) }
