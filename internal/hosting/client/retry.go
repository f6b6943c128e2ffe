package client

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// attempts is how often a question is sent at most.
const attempts = 5

// Waits between attempts. The first doubles each time; a host that says how long is
// believed up to the second.
const (
	firstWait   = 250 * time.Millisecond
	longestWait = 30 * time.Second
)

// retry reports whether to ask again, and after what time.
func retry(ctx context.Context, q question, err error, attempt int) (wait time.Duration, again bool) {
	if attempt >= attempts || ctx.Err() != nil {
		return 0, false
	}
	wait = firstWait << (attempt - 1)
	wait += rand.N(wait / 2) // so that many that were refused do not come back together
	if local := (*localError)(nil); errors.As(err, &local) {
		return 0, false
	}
	answer := (*answerError)(nil)
	if !errors.As(err, &answer) {
		if unreachable(err) {
			return 0, false
		}
		// It may have been heard. What was not sent was not.
		return wait, idempotent(q.method) || !sent(err)
	}
	switch answer.problem.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		// It was refused before anything was done.
		return max(wait, answer.after), answer.after <= longestWait
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return wait, idempotent(q.method)
	}
	return 0, false
}

// idempotent reports whether asking twice is as good as once. A PATCH of this API sets what it names.
func idempotent(method string) bool { return method != http.MethodPost }

// unreachable reports whether the reason will be the same in a moment.
func unreachable(err error) bool {
	dns := (*net.DNSError)(nil)
	cert := (*tls.CertificateVerificationError)(nil)
	return errors.As(err, &cert) || errors.As(err, &dns) && dns.IsNotFound
}

// sent reports whether a question may have left.
func sent(err error) bool {
	op := (*net.OpError)(nil)
	return !errors.As(err, &op) || op.Op != "dial"
}

// answerError is an answer that is not a good one.
type answerError struct {
	problem *api.Problem
	after   time.Duration // that the host wants to be left alone
}

func (e *answerError) Error() string { return e.problem.Error() }
func (e *answerError) Unwrap() error { return e.problem }
