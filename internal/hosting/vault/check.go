package vault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Limits of an app's variables.
const (
	MaxVars  = 256
	MaxValue = 64 << 10 // bytes
)

// Check says what is wrong with variables; no error has a value in it.
func Check(vars map[string]string) error {
	if len(vars) > MaxVars {
		return fmt.Errorf("there are %d variables: want at most %d", len(vars), MaxVars)
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if err := api.CheckVar(name); err != nil {
			return err
		}
		switch value := vars[name]; {
		case len(value) > MaxValue:
			return fmt.Errorf("variable %q: its value has %d bytes: want at most %d", name, len(value), MaxValue)
		case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			return fmt.Errorf("variable %q: its value is not text in UTF-8", name)
		}
	}
	return nil
}
