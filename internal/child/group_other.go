//go:build !unix

package child

import "os/exec"

// Group does nothing: the end of the context ends the command itself, its children run out.
func Group(*exec.Cmd) {}
