// Package watch tells what has changed in a set of folders and files.
//
// A change is a change of content: a file that was touched, or saved as it
// was, is none. The first sign of a change is reported at once, there is no
// quiet time to wait for; what happens before the reader has taken it is
// added to it. What notification misses is found by looking at the files now and then,
// so a folder that cannot be watched is slow, not broken.
//
// It does not know what a change means and does not watch what git, npm or
// editors keep for themselves.
package watch
