package cli

import "strings"

// parseVars reads the values of --var: NAME=value each, of two with one name the later wins.
// bad is the name, without any value, of one that is not of that form.
func parseVars(args []string) (vars map[string]string, bad string, ok bool) {
	vars = make(map[string]string, len(args))
	for _, a := range args {
		name, value, found := strings.Cut(a, "=")
		if !found || name == "" || strings.ContainsAny(name, " \t") {
			return nil, name, false
		}
		vars[name] = value
	}
	return vars, "", true
}
