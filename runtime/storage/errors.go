package storage

import "errors"

// Errors of a commit or a claim.
var (
	// ErrFenced says that the commit's fence is not the current one: the room has another
	// owner, or an earlier commit of this owner failed.
	ErrFenced = errors.New("storage: another owner has claimed the room")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("storage: store is closed")
)

// Errors of opening a store. Their text tells a person what to do.
var (
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrReadOnly says that the store's file or its folder cannot be written. A commit fails with it too,
	// when that happens while the store is open.
	ErrReadOnly = errors.New("the store cannot be written")
	// ErrCorrupt says that the store's file is damaged or is not a store at all.
	ErrCorrupt = errors.New("the store's file is damaged or not a party store")
	// ErrNewer says that a newer version of party has written the store.
	ErrNewer = errors.New("the store was written by a newer version of party")
)
