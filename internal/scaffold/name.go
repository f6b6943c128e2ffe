package scaffold

import (
	"regexp"
	"slices"
	"strings"
)

// maxName is the longest project name: it becomes a file name and, later, part of a host name.
const maxName = 63

var (
	projectName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	notInName   = regexp.MustCompile(`[^a-z0-9]+`)
)

// reserved are names that something else in the project has.
var reserved = []string{"public"}

// CleanName makes a project name of any text, a folder's name for instance.
// What has nothing usable in it is "party-app".
func CleanName(text string) string {
	name := notInName.ReplaceAllString(strings.ToLower(text), "-")
	if len(name) > maxName {
		name = name[:maxName]
	}
	switch name = strings.Trim(name, "-"); {
	case name == "":
		return "party-app"
	case slices.Contains(reserved, name):
		return name + "-app"
	}
	return name
}

// CheckName returns a *NameError unless name can be a project's.
func CheckName(name string) error {
	if projectName.MatchString(name) && len(name) <= maxName && !slices.Contains(reserved, name) {
		return nil
	}
	return &NameError{name, "lower-case letters, digits and hyphens, at most 63", CleanName(name)}
}
