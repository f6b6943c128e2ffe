package crashdisk

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// sector is what a disk writes as a whole, or not.
const sector = 512

// Image is the content of a folder: files by name.
type Image map[string][]byte

// Store writes the image to a folder, in place of what is there.
func (i Image) Store(dir string) error {
	old, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range old {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	for name, data := range i {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return errors.Join(errs...)
}

// Replay goes through steps and knows what a crash between any two of them may leave. The zero
// Replay is at the first step of an empty folder.
type Replay struct {
	files   map[string]*content // under the names that a process sees
	durable map[string]*content // under the names that the disk has
	changed []Step              // of names, since the folder was synced
}

// content is what there is of one file.
type content struct {
	now     []byte
	durable []byte
	pending []Step // since the last sync
	lost    []Step // which a sync that failed was for: they may be on the disk or never get there
}

// Step takes one step.
func (r *Replay) Step(s Step) {
	if r.files == nil {
		r.files, r.durable = make(map[string]*content), make(map[string]*content)
	}
	c := r.files[s.File]
	switch s.Kind {
	case Create:
		r.files[s.File] = new(content)
		r.changed = append(r.changed, s)
	case Delete:
		delete(r.files, s.File)
		r.changed = append(r.changed, s)
	case Write, Truncate:
		c.now = apply(c.now, s)
		c.lost = slices.DeleteFunc(c.lost, s.replaces)
		c.pending = append(c.pending, s)
	case Sync:
		if s.Failed {
			for _, p := range c.pending {
				c.lost = append(slices.DeleteFunc(c.lost, p.replaces), p.sectors()...)
			}
			c.pending = nil
			return
		}
		c.lost = slices.DeleteFunc(c.lost, func(l Step) bool {
			if l.Kind == Truncate { // lengths are not forgotten with what was written
				c.durable = apply(c.durable, l)
			}
			return l.Kind == Truncate
		})
		for _, p := range c.pending {
			c.durable = apply(c.durable, p)
		}
		c.pending = nil
	}
	if s.Names {
		r.durable, r.changed = maps.Clone(r.files), nil
	}
}

// apply does a step to the bytes of a file.
func apply(data []byte, s Step) []byte {
	if s.Kind == Truncate {
		return resize(data, s.Offset)
	}
	if end := s.Offset + int64(len(s.Data)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[s.Offset:], s.Data)
	return data
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

// Killed is what there is after a process has been killed.
func (r *Replay) Killed() Image {
	i := make(Image)
	for name, c := range r.files {
		i[name] = slices.Clone(c.now)
	}
	return i
}

// PowerCut is what there may be after a power cut: one of many.
func (r *Replay) PowerCut(rng *rand.Rand) Image {
	names := maps.Clone(r.durable)
	if len(r.changed) > 0 && rng.IntN(2) == 0 {
		names = r.files // all changes, though nobody waited for them
	}
	way := rng.IntN(4)
	i := make(Image)
	for name, c := range names {
		i[name] = c.cut(rng, way)
	}
	return i
}

// cut returns what may be left of a file.
func (c *content) cut(rng *rand.Rand, way int) []byte {
	data := slices.Clone(c.durable)
	steps := slices.Concat(c.lost, c.pending)
	switch way {
	case 0: // nothing that was not synced
		return data
	case 1: // the first steps, and part of one
		n := rng.IntN(len(steps) + 1)
		for _, s := range steps[:n] {
			data = apply(data, s)
		}
		if n < len(steps) && steps[n].Kind == Write && len(steps[n].Data) > 0 {
			s := steps[n]
			s.Data = s.Data[:rng.IntN(len(s.Data))]
			data = apply(data, s)
		}
		return data
	}
	// Any sectors of any steps: which of them were written is up to the disk. Of two that are in one
	// place the later one is never older. A file may have grown for what has not been written.
	odds := 1 + rng.IntN(7)
	for _, s := range steps {
		for _, part := range s.sectors() {
			if rng.IntN(8) >= odds {
				continue
			}
			if way == 3 && part.Kind == Write && part.Offset >= int64(len(data)) && rng.IntN(4) == 0 {
				part.Data = garbage(rng, len(part.Data))
			}
			data = apply(data, part)
		}
	}
	return data
}

// sectors splits a write where the disk does.
func (s Step) sectors() []Step {
	if s.Kind != Write {
		return []Step{s}
	}
	var parts []Step
	for data, at := s.Data, s.Offset; len(data) > 0; {
		n := min(int(sector-at%sector), len(data))
		parts = append(parts, Step{Kind: Write, File: s.File, Offset: at, Data: data[:n]})
		data, at = data[n:], at+int64(n)
	}
	return parts
}

// replaces reports whether nothing of an earlier step can reach the disk once this one has.
func (s Step) replaces(earlier Step) bool {
	if s.Kind == Truncate {
		return earlier.Kind == Truncate || earlier.Offset >= s.Offset
	}
	return earlier.Kind == Write && earlier.Offset < s.Offset+int64(len(s.Data)) && s.Offset < earlier.Offset+int64(len(earlier.Data))
}

func garbage(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}
