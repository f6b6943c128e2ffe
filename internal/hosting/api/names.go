package api

import (
	"fmt"
	"regexp"
	"strings"
)

// MaxName is the longest name of an app, with its preview: it is a label of a host name.
const MaxName = 63

// previewMark stands between the name of an app and the name of its preview.
const previewMark = "--"

var word = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// reservedNames would make a host name that means something else: xn-- begins
// an internationalised name.
var reservedNames = map[string]bool{"xn": true, "www": true}

// NameError says what is wrong with a name that somebody has given.
type NameError struct{ What, Name, Rule string }

func (e *NameError) Error() string {
	shown := e.Name
	if len(shown) > 80 {
		shown = shown[:80] + "…"
	}
	return fmt.Sprintf("%s %q: want %s", e.What, shown, e.Rule)
}

// InstanceName is what an app, or a preview of it, is called in paths and in its host name:
// "chat", or "chat--feature". Without preview it is the app itself. It checks nothing; CheckInstance does.
func InstanceName(app, preview string) string {
	if preview == "" {
		return app
	}
	return app + previewMark + preview
}

// SplitInstance is the opposite of InstanceName.
func SplitInstance(instance string) (app, preview string) {
	app, preview, _ = strings.Cut(instance, previewMark)
	return app, preview
}

// CheckInstance returns a *NameError unless a name can be an app's or a preview's: one or two words
// of lower-case letters, digits and single hyphens, joined by "--", together at most MaxName bytes. What it
// accepts is a label of a host name and a file name of one element.
func CheckInstance(instance string) error {
	app, preview, isPreview := strings.Cut(instance, previewMark)
	if !word.MatchString(app) || isPreview && !word.MatchString(preview) {
		return &NameError{"app", instance, "lower-case letters, digits and single hyphens between them"}
	}
	if len(instance) > MaxName {
		return &NameError{"app", instance, fmt.Sprintf("at most %d bytes, with the preview", MaxName)}
	}
	if reservedNames[app] {
		return &NameError{"app", instance, "another name: this one is reserved"}
	}
	return nil
}

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckDomain returns a *NameError unless a name can be a host name of an app: lower-case ASCII labels, at
// least two of them, without port and final dot, at most 253 bytes. Addresses are no names.
func CheckDomain(domain string) error {
	wrong := &NameError{"domain", domain, "a host name in lower-case ASCII such as chat.example.com, without port"}
	labels := strings.Split(domain, ".")
	if len(domain) > 253 || len(labels) < 2 {
		return wrong
	}
	for _, l := range labels {
		if len(l) > 63 || !label.MatchString(l) {
			return wrong
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return wrong // the last label of a name is never a number, that of an IPv4 address always
	}
	return nil
}

// IsHash reports whether s is a SHA-256 in 64 lower-case hexadecimal digits.
func IsHash(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// MaxVarName is the longest name of a variable.
const MaxVarName = 256

var varName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// CheckVar returns a *NameError unless a name can be a variable's, as in .env files.
func CheckVar(name string) error {
	if !varName.MatchString(name) || len(name) > MaxVarName {
		return &NameError{"variable", name, fmt.Sprintf("a letter or underscore, then letters, digits, dots, hyphens and underscores, at most %d bytes", MaxVarName)}
	}
	return nil
}
