// Package deployfiles writes the files by which other tools run a built server: a systemd unit, a
// Dockerfile, a Kubernetes StatefulSet, fly.toml, a GitHub Actions workflow. They are a start, to be kept
// and changed by whoever asked for them; nothing reads them back.
//
// The package writes text. It runs none of those tools and does not know projects.
package deployfiles
