// Package remote is a server that is reached by SSH: it runs commands there, copies files to it, and makes
// connections from it. It speaks SSH itself, so no ssh program is needed, and ~/.ssh/config is not read.
//
// A server's key is checked against the known_hosts files, always. The package shows and asks nothing itself, and
// does not know what it installs.
package remote
