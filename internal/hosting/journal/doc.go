// Package journal keeps the log of one app of "party host": what the app prints, and what the host sees of its
// requests and sockets. It writes lines to files that are rotated and removed by size and age, tells them as they
// happen to whoever follows, and finds those of the past.
//
// It does not know where lines come from, nor how they are shown.
package journal
