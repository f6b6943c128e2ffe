package link

import "errors"

// ErrHostGone says that the host ended before it answered.
var ErrHostGone = errors.New("the host is gone")
