package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter bounds how often each of many keys may do something. It is safe for concurrent use.
type Limiter struct {
	// set by NewLimiter, then read-only
	every time.Duration
	burst int
	now   func() time.Time

	mu      sync.Mutex // guards what follows
	buckets map[string]*rate.Limiter
}

// maxBuckets bounds the memory of a limiter. Above it, keys that have their whole burst again are forgotten, which
// changes nothing for them; if there are none, everybody starts anew.
const maxBuckets = 20_000

// NewLimiter lets each key do something burst times at once, and once more every so often.
func NewLimiter(burst int, every time.Duration) *Limiter {
	return &Limiter{every: every, burst: burst, now: time.Now, buckets: make(map[string]*rate.Limiter)}
}

// Take counts something that a key does. If it is too much, it is not counted, and wait is when to try again.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	now := l.now()
	b := l.bucket(key, now)
	if b.AllowN(now, 1) {
		return 0, true
	}
	return l.wait(b, now), false
}

// Blocked reports, without counting, whether a key may do something now.
func (l *Limiter) Blocked(key string) (wait time.Duration, blocked bool) {
	now := l.now()
	b := l.bucket(key, now)
	if b.TokensAt(now) >= 1 {
		return 0, false
	}
	return l.wait(b, now), true
}

func (l *Limiter) wait(b *rate.Limiter, now time.Time) time.Duration {
	return time.Duration((1 - b.TokensAt(now)) * float64(l.every))
}

func (l *Limiter) bucket(key string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.forget(now)
		}
		b = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.buckets[key] = b
	}
	return b
}

func (l *Limiter) forget(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// AddressKey is the key of an address: who has one IPv6 address has its whole /64.
func AddressKey(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
