// Package access says who may ask "party host" for what: tokens in a file, of which only hashes are kept, and
// limits on how often somebody may try.
//
// It knows neither HTTP nor apps; what a right allows is package api's. The file is shared by the daemon and by
// "party host token", which work on it at the same time.
package access
