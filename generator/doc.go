// Package generator turns an annotated Go package into the code that joins it
// to the runtime: the table of room types with their callbacks, and what goes into the binary.
//
// It is a pipeline. Load reads the package, scan finds the annotations, the
// model says what they mean as plain data, validation compares the parts with
// one another, and rendering prints the model into files that are in memory. Only
// the first stages know go/ast and go/types, only [Result.Write] writes.
//
// The package does not build or run anything, does not read the manifest (it
// is given what it needs of it), and leaves type errors in the user's code to
// the compiler, which reports them better.
package generator
