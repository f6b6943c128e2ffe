// Package hostbuild turns the user's main package into a host binary, as
// fast as it can while somebody waits for it.
//
// There are two ways. "go build" is always right. When nothing but Go files
// of the user's module has changed since, and their imports have not, the
// compiler and the linker are called directly with what the go command said
// about the packages (a plan): that leaves out the go command's own
// work, which is a good part of an incremental build. Besides the main package those
// are compiled that have changed, and those that import one whose export data has.
// At the first sign of anything else the builder takes the first way.
//
// It is not for release builds, and it does not run what it builds.
package hostbuild
