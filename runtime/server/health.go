//go:build !party_host

package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthTime bounds the question to a server.
const healthTime = 3 * time.Second

// runHealth is for the health check of a container without a shell.
func runHealth(v *invocation) int {
	set := v.flagSet("health", "")
	admin := set.String("admin", "127.0.0.1:9090", "the server's --admin address, `host:port` or unix:PATH")
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	ctx, cancel := context.WithTimeout(v.ctx, healthTime)
	defer cancel()
	client, root := clientFor(*admin)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, root+"/readyz", nil)
	if err != nil {
		return v.fail(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return v.fail(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return v.fail(err)
	}
	text := strings.TrimSpace(string(said))
	if resp.StatusCode != http.StatusOK {
		return v.fail(fmt.Errorf("not ready: %s", text))
	}
	fmt.Fprintln(v.stdout, text)
	return 0
}
