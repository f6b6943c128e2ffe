// Package hosting is the daemon behind "party host": it runs many apps, each a binary of party build, as child
// processes; gives them requests by host name; and takes new versions over an authenticated API.
//
// An app is run as "APP serve --upgradable" with a data folder and, where the daemon is root, a user of its own. A new
// version is put into a running app by the app itself, through its control socket, as "app upgrade" does:
// there is no second hand-over mechanism here. The daemon links no user code and opens no store; what it has to know of a
// program the program says, running as the app's user.
//
// The contract with clients is package api. Tokens are in package access, variables in vault, logs in journal.
// It needs a Unix system; isolation by users needs root.
package hosting
