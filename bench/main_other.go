//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux: it pins processes to CPUs and drives its sockets with epoll")
	os.Exit(1)
}
