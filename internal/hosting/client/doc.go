// Package client speaks to a host's API: it asks, asks again where that can do no harm, uploads what the
// host does not have, and follows what goes on there.
//
// It decides nothing and shows nothing; what is asked for and how it is told is the command's.
package client
