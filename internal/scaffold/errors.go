package scaffold

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of a checkout.
var (
	// ErrNoCheckout says that the project's own sources are not where they were when the CLI was built.
	ErrNoCheckout = errors.New("the checkout of party is not known")
)

// ConflictError lists what stands in the way of a plan. Nothing has been written.
type ConflictError struct {
	Paths []string // as a user would name them
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("nothing was written, because there already is:\n  %s", strings.Join(e.Paths, "\n  "))
}

// NameError says that a name given by the user cannot be used.
type NameError struct {
	Name, Must string
	Suggestion string // "" for none
}

func (e *NameError) Error() string {
	s := fmt.Sprintf("the name %q cannot be used: it must be %s", e.Name, e.Must)
	if e.Suggestion != "" {
		s += fmt.Sprintf(", such as %q", e.Suggestion)
	}
	return s
}
