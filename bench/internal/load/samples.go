package load

import (
	"slices"
	"time"
)

// Samples are measured times.
type Samples []time.Duration

// Percentile returns the smallest sample that at least p percent of all do not
// exceed; 0 when there are none. It sorts the samples.
func (s Samples) Percentile(p float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	n := int(float64(len(s))*p/100+0.9999999) - 1
	return s[min(max(n, 0), len(s)-1)]
}
