package manifest

import (
	"fmt"
	"go/token"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// The kinds of strings in the table of keys.
var (
	slug       = text{pattern: regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`), must: "lower-case letters, digits and hyphens"}
	word       = text{pattern: regexp.MustCompile(`^\S+$`), must: "a word without spaces"}
	variable   = text{pattern: regexp.MustCompile(`^[^\s=]+$`), must: "a name without spaces and ="}
	cronName   = text{pattern: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`), must: "letters, digits, hyphens and underscores"}
	extension  = text{pattern: regexp.MustCompile(`^\.\S+$`), must: `a file extension such as ".svg"`}
	goType     = text{rule: goTypeRule}
	relative   = text{rule: relativeRule}
	tsFile     = text{pattern: regexp.MustCompile(`\.ts$`), must: "a .ts file", rule: relativeRule}
	folder     = text{pattern: regexp.MustCompile(`^[^\x00]+$`), must: "a folder"}
	prefix     = text{pattern: regexp.MustCompile(`^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$`), must: prefixMust, rule: prefixRule}
	origin     = text{rule: originRule}
	proxy      = text{rule: proxyRule}
	host       = text{pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`), must: `a host name such as "chat.example.com"`}
	headerName = text{pattern: regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`), must: "the name of a header"}
	// A line break in a value would be a header of its own.
	headerValue = text{pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]*$`), must: "one line"}

	ttl = either{integer{0, maxSeconds}, absent{}}
)

// goTypeRule takes the name of a type, and with a package's name or path and a dot in front.
func goTypeRule(s string) string {
	pkg, name := "", s
	if dot := strings.LastIndex(s, "."); dot >= 0 {
		pkg, name = s[:dot], s[dot+1:]
	}
	if token.IsIdentifier(name) && (name == s || packagePath.MatchString(pkg)) {
		return ""
	}
	return `the name of a Go type, such as "Chat" or "rooms.Chat"`
}

var packagePath = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func relativeRule(s string) string {
	// A drive letter counts on every system: the manifest is shared.
	if s == "" || path.IsAbs(s) || strings.ContainsAny(s, "\\\x00") || (len(s) > 1 && s[1] == ':') {
		return "a path relative to the manifest, with forward slashes"
	}
	return ""
}

const prefixMust = "URL segments without outer slashes"

func prefixRule(s string) string {
	for i, segment := range strings.Split(s, "/") {
		switch {
		case segment == "." || segment == "..":
			return prefixMust
		case i == 0 && segment == "_party":
			return "something other than _party, which the server itself uses"
		}
	}
	return ""
}

// CheckPrefix returns what is wrong with a first part of room URLs, or nil.
func CheckPrefix(s string) error { return rule("the prefix of room URLs", s, prefix) }

// CheckOrigin returns what is wrong with an origin, which may end with a slash and be in any case, or nil.
func CheckOrigin(s string) error {
	return rule("what opens sockets", strings.ToLower(strings.TrimSuffix(s, "/")), origin)
}

func rule(what, s string, of text) error {
	if wrong := of.wrong(s); wrong != "" {
		return fmt.Errorf("%s %s, not %q", what, wrong, s)
	}
	return nil
}

func originRule(s string) string {
	if s == "*" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.String() != u.Scheme+"://"+u.Host || s != strings.ToLower(s) {
		return `an origin such as "https://example.com", in lower case and without a path, or "*"`
	}
	return ""
}

func cronRule(s string) string {
	if err := CheckCron(s); err != nil {
		return "a cron expression (" + err.Error() + ")"
	}
	return ""
}
