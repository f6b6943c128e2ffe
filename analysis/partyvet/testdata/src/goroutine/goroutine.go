package goroutine

import (
	"sync"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

type Chat struct {
	party.Room
	n int
}

func (c *Chat) touches() {
	go func() {
		c.n++            // want `the goroutine uses the room outside its turns: enter one with c.Do`
		c.Broadcast("a") // want `uses the room outside its turns`
	}()
	time.AfterFunc(1, func() { c.n++ }) // want `uses the room outside its turns`
	var group sync.WaitGroup
	group.Go(func() { c.Broadcast("b") }) // want `uses the room outside its turns`
	go c.work(c.n)                        // want `uses the room outside its turns` `uses the room outside its turns`
}

func (c *Chat) work(n int) {}

func (c *Chat) fine() {
	n := c.n
	go func() {
		println(n, c.Name())
		c.Do(func() { c.n++; c.Broadcast("a") })
	}()
	c.Do(func() { c.n++ })
	time.AfterFunc(1, func() { c.Do(func() { c.n++ }) })
	var once sync.Once
	once.Do(func() { c.n++ })
}
