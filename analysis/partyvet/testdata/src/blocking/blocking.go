package blocking

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

type base struct{ party.Room }

type Chat struct {
	base
	c  chan int
	db *sql.DB
}

func (c *Chat) OnMessage(ctx context.Context) error {
	time.Sleep(1)              // want `the turn waits for time.Sleep`
	http.Get("http://a")       // want `the turn waits for http.Get`
	http.DefaultClient.Do(nil) // want `the turn waits for http.Do`
	new(http.Client).Get("")   // want `the turn waits for http.Get`
	<-c.c                      // want `the turn waits for a channel`
	for range c.c {            // want `the turn waits for a channel`
	}
	select { // want `the turn waits for a select`
	case <-c.c:
		time.Sleep(1) // want `the turn waits for time.Sleep`
	}
	c.db.QueryContext(ctx, "")           // want `the turn waits for sql.QueryContext`
	c.db.Begin()                         // want `the turn waits for sql.Begin`
	c.After(1, func() { time.Sleep(1) }) // want `the turn waits for time.Sleep`
	return nil
}

func (c *Chat) fine(ctx context.Context) error {
	select {
	case n := <-c.c:
		_ = n
	default:
	}
	var r http.Request
	_ = r.Header.Get("X-User") // a Get, but of a map
	go func() { time.Sleep(1) }()
	time.AfterFunc(1, func() { time.Sleep(1) })
	return c.Await(ctx, func(ctx context.Context) error {
		time.Sleep(1)
		<-c.c
		_, err := http.Get("http://a")
		return err
	})
}

type other struct{}

func (other) sleeps() { time.Sleep(1) }
