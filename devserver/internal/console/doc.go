// Package console is the terminal as the dev server uses it: whole lines from
// many goroutines, colours where somebody can see them, and single keys.
//
// It knows what a line looks like and not what it says.
package console
