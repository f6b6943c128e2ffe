package manifest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

var envEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// FormatEnv writes variables as a .env file, sorted by name. ParseEnv reads them back, if their
// names are such as it takes and their values text without NUL.
func FormatEnv(vars map[string]string) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		b.WriteString(name + `="` + envEscapes.Replace(vars[name]) + "\"\n")
	}
	return b.Bytes()
}
