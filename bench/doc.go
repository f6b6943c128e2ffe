// Bench measures rooms against a bare gorilla/websocket hub, in the same run:
//
//	go run ./bench [--only echo,broadcast,http,puts,rooms,idle,reload] [--seconds 3] [--runs 3] [--profile DIR]
//
// It prints one table. Each server is a process of its own, made by go build
// and pinned to one CPU (GOMAXPROCS=1); the load comes from this process,
// pinned to another one, over loopback. Every run has a fresh process, ours and
// the hub take turns, and figures are medians of the runs. On a machine that
// others use, compare ratios only: "per CPU-s" is the value divided by the
// server's CPU seconds, user and system, and moves least.
//
// A fresh room is one that nobody has asked for before. Memory is how much the
// server's resident set grows by each thing, after a collection. Of a
// reload, "request" and "message" are the times from saving the file until the
// new code answers, "pause" is what party dev says its events waited, and
// "longest-wait" is what one socket saw, with a message every 5 ms on a busy machine.
//
// With --split it compares "serve --upgradable", with the rooms in a process of their own, with everything in one process:
//
//	go run ./bench --split [--only echo,broadcast,http,puts,rooms] [--seconds 3] [--runs 3]
//
// Both processes of the split server run on the same CPU, and "per CPU-s" counts both.
//
// It measures the built binary's form, server.Main on one process; only reload
// measures party dev. It needs Linux and two CPUs. It is no test of
// correctness, but it checks what it gets back and fails if that is wrong.
package main
