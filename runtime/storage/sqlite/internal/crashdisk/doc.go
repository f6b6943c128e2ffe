// Package crashdisk is for tests: it watches what SQLite does to the files of a
// folder, step by step, and makes the folders that a crash after any of these
// steps may leave. It can also have a step fail.
//
// A killed process loses nothing that it has written. A power cut may lose,
// of what has not been synced, any sectors in any order, new lengths and names
// among them.
//
// It is no file system: the steps still reach the real files, through SQLite's own VFS.
package crashdisk
