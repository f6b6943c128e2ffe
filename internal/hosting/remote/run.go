package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxOutput bounds what is kept of a command's output, in bytes.
const maxOutput = 1 << 20

// ExitError is a command that has failed.
type ExitError struct {
	Code   int
	Stderr string // its beginning
}

func (e *ExitError) Error() string {
	if text := strings.TrimSpace(e.Stderr); text != "" {
		return text
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// Run has the server's sh run a script, whatever the user's shell is, and returns what it prints to stdout. stdin may be
// nil. The error wraps an *ExitError if the script has failed. At the end of ctx Run
// returns at once: the script is asked to end, and stdin may be read for a moment longer.
func (s *Server) Run(ctx context.Context, script string, stdin io.Reader) (string, error) {
	session, err := s.client.NewSession()
	if err != nil {
		return "", fmt.Errorf("run on %s: %w", s.Target.Host, err)
	}
	var stdout, stderr beginning
	session.Stdin, session.Stdout, session.Stderr = stdin, &stdout, &stderr
	done := make(chan error, 1)
	// Whatever becomes of ctx, the script may go on. Close of the Server waits for this.
	s.wait.Go(func() {
		defer session.Close()
		done <- session.Run("exec sh -c " + Quote(script))
	})
	select {
	case <-ctx.Done():
		_ = session.Signal(ssh.SIGTERM) // some servers pass it on
		_ = session.Close()
		return "", fmt.Errorf("run on %s: %w", s.Target.Host, context.Cause(ctx))
	case err = <-done:
	}
	if exit := (*ssh.ExitError)(nil); errors.As(err, &exit) {
		err = &ExitError{exit.ExitStatus(), stderr.String()}
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("run on %s: %w", s.Target.Host, err)
	}
	return stdout.String(), nil
}

// beginning keeps the beginning of what is written to it.
type beginning struct{ kept bytes.Buffer }

func (b *beginning) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), maxOutput-b.kept.Len())])
	return len(p), nil
}

func (b *beginning) String() string { return b.kept.String() }

// Quote makes one word of a text, for sh.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Put writes a file on the server, of the mode in octal digits. It has its name when it is complete, so that it may replace
// a program that runs. The path is absolute; its folder is made if need be.
func (s *Server) Put(ctx context.Context, to, mode string, size int64, content io.Reader) error {
	if !path.IsAbs(to) {
		return fmt.Errorf("put %s: the path is not absolute", to)
	}
	script := fmt.Sprintf(`set -e
umask 022
mkdir -p %[1]s
tmp=%[2]s.new.$$
trap 'rm -f "$tmp"' EXIT
cat > "$tmp"
n=$(wc -c < "$tmp")
if [ "$n" -ne %[3]d ]; then echo "only $n of %[3]d bytes came" >&2; exit 1; fi
chmod %[4]s "$tmp"
mv -f "$tmp" %[2]s
trap - EXIT`, Quote(path.Dir(to)), Quote(to), size, Quote(mode))
	if _, err := s.Run(ctx, script, content); err != nil {
		return fmt.Errorf("put %s: %w", to, err)
	}
	return nil
}

// System is the server's GOOS and GOARCH.
func (s *Server) System(ctx context.Context) (goos, arch string, err error) {
	out, err := s.Run(ctx, "uname -sm", nil)
	if err != nil {
		return "", "", err
	}
	kernel, machine, _ := strings.Cut(strings.TrimSpace(out), " ")
	if goos, ok := systems[kernel]; ok {
		if arch, ok := machines[machine]; ok {
			return goos, arch, nil
		}
	}
	return "", "", fmt.Errorf("%s is %q: party runs on Linux, macOS and FreeBSD on the usual machines", s.Target.Host, strings.TrimSpace(out))
}

var systems = map[string]string{"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd"}

var machines = map[string]string{
	"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm", "armv6l": "arm",
	"i686": "386", "i386": "386", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x",
}
