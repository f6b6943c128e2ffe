package hostproc

import "os"

// EnvFD names the environment variable that gives the host its end of the link.
const EnvFD = "PARTY_HOST_FD"

// Options of a host process. Binary is required.
type Options struct {
	Binary string
	Dir    string   // working directory
	Env    []string // the whole environment; EnvFD is added
	// Source is the folder that the user's code is in, to tell its lines in a stack.
	Source string
	// Stdout and Stderr are given the program's output by lines, without their end.
	// Lines are cut at 64 KiB. They are called one at a time each.
	Stdout, Stderr func(line string)
	// Output gets all output as it is, and Stdout and Stderr are not used.
	Output *os.File
}
