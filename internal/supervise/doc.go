// Package supervise keeps the host of a production platform running in a process of
// its own: it starts versions of a program, gives the rooms from one to the next by the one
// hand-over mechanism, platform.SetHost with a host over a stream, restarts what
// crashes, and goes back to the version before when a new one does not prove itself.
//
// The policy is next, a function without effects; Supervisor performs what it says.
//
// The package does not know where versions come from or what is in them (that is
// package release), whether they fit the stored data (Options.Prepare decides), or who asks
// for an upgrade. The dev server has a loop of its own: there, code comes from builds, and
// nobody goes back. It needs a Unix system.
package supervise
