package cli

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// buildTags are the tags that GOFLAGS gives every build, from the environment or from what
// "go env -w" has kept: the generator reads the files that the go command would build. The
// go command itself is not asked, that takes longer than generating.
func buildTags() []string {
	flags, ok := os.LookupEnv("GOFLAGS")
	if !ok {
		flags = keptGoFlags()
	}
	var tags []string
	for flag := range strings.FieldsSeq(flags) {
		if list, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
			tags = strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
		}
	}
	return tags
}

// keptGoFlags reads GOFLAGS from the go command's own file of settings; "" if there is none.
func keptGoFlags() string {
	path := os.Getenv("GOENV")
	if path == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		path = filepath.Join(dir, "go", "env")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "" // "off", or nothing was kept
	}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if flags, ok := strings.CutPrefix(s.Text(), "GOFLAGS="); ok {
			return flags
		}
	}
	return ""
}
