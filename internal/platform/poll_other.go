//go:build !linux

package platform

import "errors"

const canPark = false

type poller struct{}

func newPoller() (*poller, error) { return nil, errors.ErrUnsupported }

func (*poller) watch(*reader, uint64) error { return errors.ErrUnsupported }
func (*poller) wait() ([]uint64, bool)      { return nil, false }
func (*poller) close()                      {}
