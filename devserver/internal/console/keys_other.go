//go:build !unix

package console

import (
	"errors"
	"os"
)

// Keys fails: single keys are read on Unix systems only.
func (c *Console) Keys(*os.File, func(key byte)) (stop func() error, err error) {
	return nil, errors.New("read keys: not supported on this system")
}
