package hostbuild

import (
	"bytes"
	"context"
	"os/exec"
	"time"

	"github.com/goparty-dev/party/internal/child"
)

// run runs a tool in the package's folder and returns what it printed: its standard
// output, and after a failure its standard error as well. extra is added to its environment.
func (b *Builder) run(ctx context.Context, extra []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = b.opts.Dir
	// exec keeps the last of several values.
	cmd.Env = append(append(append([]string{}, b.opts.Env...), "PWD="+b.opts.Dir), extra...)
	cmd.WaitDelay = time.Second
	child.Group(cmd)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		return stderr.String() + stdout.String(), err
	}
	return stdout.String(), nil
}
