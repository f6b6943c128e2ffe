package hostproc

import "time"

// BackOff is the pause before a host is started again after its nth crash in a row: none the
// first time, then a quarter of a second, doubled each time up to most.
func BackOff(n int, most time.Duration) time.Duration {
	if n <= 1 {
		return 0
	}
	d := 250 * time.Millisecond
	for range n - 2 {
		if d *= 2; d >= most {
			return most
		}
	}
	return d
}
