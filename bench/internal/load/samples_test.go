package load

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var hundred Samples
	for n := range 100 {
		hundred = append(hundred, time.Duration(100-n))
	}
	tests := []struct {
		samples Samples
		p       float64
		want    time.Duration
	}{
		{nil, 50, 0},
		{Samples{7}, 99, 7},
		{Samples{3, 1, 2}, 50, 2},
		{hundred, 0, 1},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
	}
	for _, tt := range tests {
		if got := tt.samples.Percentile(tt.p); got != tt.want {
			t.Errorf("percentile %v of %d samples: %d, want %d", tt.p, len(tt.samples), got, tt.want)
		}
	}
}
