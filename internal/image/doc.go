// Package image packs a built server into an OCI image, without a container engine: a layer
// with a folder for data and what programs look up (users, the certificates of public authorities), one with the static binary, run
// by a user without rights, with a health check. It writes the image to an archive, or pushes it to a registry.
//
// The same binary and options give the same bytes. The package builds no binary.
package image
