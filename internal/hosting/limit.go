//go:build unix

package hosting

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

// shell is what sets limits: a process can only lower its own, and Go has no place to do it between fork and exec.
const shell = "/bin/sh"

// limited wants the kilobytes of memory, the number of open files, and a command. No core is dumped: there are secrets in it.
const limited = `ulimit -c 0; if [ "$1" -gt 0 ]; then ulimit -d "$1"; fi && ulimit -n "$2" && shift 2 && exec "$@"`

// limit puts a command below limits. The memory is what a process may write to; 0 is no limit.
func limit(memory, openFiles int64, command ...string) ([]string, error) {
	var have syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &have); err == nil && uint64(openFiles) > uint64(have.Max) {
		openFiles = int64(have.Max) // more than the host's own nobody can have
	}
	if _, err := os.Stat(shell); err != nil {
		if memory > 0 {
			return nil, errors.New("a limit of memory needs " + shell)
		}
		return command, nil
	}
	return append([]string{shell, "-c", limited, "limits", strconv.FormatInt(memory>>10, 10), strconv.FormatInt(openFiles, 10)}, command...), nil
}
