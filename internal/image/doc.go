// Package image packs a built server into an OCI image, without a container engine: one layer with the
// static binary and a folder for its data, run by a user without rights, with a health check.
//
// The same binary and options give the same bytes. The package builds no binary and talks to no registry.
package image
