// Package scaffold plans the files of a new project and of a new room type:
// which, with what in them, and whether they would overwrite anything. A plan is data; it
// touches the disk only when it is told to write.
//
// It is not for generating code: what it writes is the user's from then on,
// and is never written again.
package scaffold
