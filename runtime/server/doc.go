// Package server runs rooms: platform and host in one process. [New] makes an
// http.Handler to mount anywhere; [Main] is the whole program that generated
// code calls, with flags, signals and a data folder.
//
// Built with the tag party_host, as party dev does, the package is nothing
// but Main, which then serves rooms to the dev server and owns no socket and
// no file: a reload must not wait for the linker to put in a database.
package server
