// Package party stands for the runtime.
package party

import "context"

type Room struct{}

func (r *Room) Await(ctx context.Context, fn func(ctx context.Context) error) error { return fn(ctx) }
func (r *Room) Do(fn func()) error                                                  { return nil }
func (r *Room) After(d int, fn func())                                              {}
func (r *Room) Name() string                                                        { return "" }
func (r *Room) Broadcast(s string)                                                  {}

type Conn struct{}
