package storage

// Bounds returns the range as one interval of keys, lo <= key < hi; an empty
// hi means no upper bound. Nothing is in the range when hi is not empty and
// not greater than lo.
func (r Range) Bounds() (lo, hi string) {
	lo = max(r.Prefix, r.Start)
	if r.After != "" {
		// In byte order nothing lies between a key and the key with a zero byte added.
		lo = max(lo, r.After+"\x00")
	}
	hi = afterPrefix(r.Prefix)
	if hi == "" || r.End != "" && r.End < hi {
		hi = r.End
	}
	return lo, hi
}

// Contains reports whether key is in the range, its limit aside.
func (r Range) Contains(key string) bool {
	lo, hi := r.Bounds()
	return key >= lo && (hi == "" || key < hi)
}

// afterPrefix returns the least string that is greater than every string with
// this prefix, "" if there is none.
func afterPrefix(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
