package crashdisk

import (
	"path/filepath"
	"slices"
	"sync"
)

// Kind is what a step does.
type Kind uint8

// The kinds of steps.
const (
	Create   Kind = iota // a file that was not there
	Write                // Data at Offset
	Truncate             // to the length Offset
	Sync                 // everything before it in this file is durable; for a log or journal its name too
	Delete               // the file's name
)

func (k Kind) String() string {
	return [...]string{"create", "write", "truncate", "sync", "delete"}[k]
}

// Step is one thing that was done to a file.
type Step struct {
	Kind   Kind
	File   string // its name in the folder
	Offset int64
	Data   []byte
	Names  bool // of Sync and Delete: the folder was synced too
	Failed bool // a sync that returned an error: what it was for may never be durable
}

// Fault is how a step goes wrong.
type Fault struct {
	Code int32 // the result code that SQLite gets, such as SQLITE_FULL
	Part int   // of a write: so many bytes are written all the same
}

// Disk records the steps in one folder. All methods are safe for concurrent use.
type Disk struct {
	dir string

	mu    sync.Mutex
	steps []Step
	fault func(n int, s Step) *Fault
}

// Watch records everything that SQLite does in a folder from now on, to files that it
// opens from now on, until Close.
func Watch(dir string) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := install(); err != nil {
		return nil, err
	}
	d := &Disk{dir: dir}
	shim.mu.Lock()
	defer shim.mu.Unlock()
	shim.disks[dir] = d
	return d, nil
}

// Close stops the recording of files that are opened from now on.
func (d *Disk) Close() {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	delete(shim.disks, d.dir)
}

// Len is how many steps there have been.
func (d *Disk) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.steps)
}

// Steps returns the steps so far. Their data must not be modified.
func (d *Disk) Steps() []Step {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clip(d.steps)
}

// Fail has steps fail for which f returns a fault. f gets the step and its number, and must not use
// the disk. Only writes, truncations and syncs can fail. A nil f ends it.
func (d *Disk) Fail(f func(n int, s Step) *Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// do has a step done and records it. The real thing returns SQLite's result code.
func (d *Disk) do(s Step, real func(s Step) int32) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		if f := d.fault(len(d.steps), s); f != nil {
			if s.Kind == Write && f.Part > 0 {
				s.Data = s.Data[:min(f.Part, len(s.Data))]
				if real(s) == 0 {
					d.record(s)
				}
			}
			if s.Kind == Sync {
				s.Failed = true
				d.record(s)
			}
			return f.Code
		}
	}
	code := real(s)
	if code == 0 {
		d.record(s)
	}
	return code
}

// record is called with mu held.
func (d *Disk) record(s Step) {
	s.Data = slices.Clone(s.Data)
	d.steps = append(d.steps, s)
}
