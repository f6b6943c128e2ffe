package supervise

import (
	"slices"
	"time"
)

// Version is one build of the program.
type Version struct {
	ID     string // what it is called in files and messages
	Binary string // path, absolute
}

// Entry is a version in the history of what has served.
type Entry struct {
	Version
	// Proven says that it has been through its probation. The first one always has.
	Proven bool
	// Moved says that taking this version in has moved or deleted stored rooms, so that
	// there is no way back beyond it.
	Moved bool
}

// maxHistory is how many versions can be gone back through.
const maxHistory = 5

// state is all that the loop knows. It is a value: next returns a new one.
type state struct {
	limit   int     // crashes on probation that are one too many
	history []Entry // oldest first; the last one is the version that serves, or is to

	hosts    int   // number of the last host started
	current  host  // has the rooms; its number is 0 when there is none
	starting host  // does not answer yet
	leaving  []int // their rooms are moving to current

	trial    int // number of the last probation
	failures int // crashes in the running probation
	counted  counted
	judged   bool // enough is counted in the running probation to go back for
	judging  bool // that is to come
	overdue  bool // and the probation has ended meanwhile
	crashes  int  // in a row
	timers   int  // number of the last restart timer
	timer    int  // the one that is running, or 0
	stopping bool
}

// host is a host process by its number.
type host struct {
	id      int
	version Version
	why     cause
	lost    bool // its link has ended, how is not known yet
}

// cause is why a host was started.
type cause uint8

const (
	first cause = iota
	upgrading
	goingBack // because somebody asked for it
	restarting
	falling   // back, because the newer version crashed on probation
	recalling // the same, because it cannot migrate rooms; it serves meanwhile
)

// top is the version that serves, or is to.
func (s *state) top() *Entry { return &s.history[len(s.history)-1] }

// serving reports whether some code has the rooms.
func (s *state) serving() bool { return s.current.id != 0 && !s.current.lost }

// asked reports whether a host is being started because somebody asked for it.
func (s *state) asked() bool {
	return s.starting.id != 0 && (s.starting.why == upgrading || s.starting.why == goingBack)
}

// fallback is the place in the history of the last proven version below the top,
// or -1 if there is none that can take the data.
func (s *state) fallback() int {
	for n := len(s.history) - 1; n > 0 && !s.history[n].Moved; n-- {
		if s.history[n-1].Proven {
			return n - 1
		}
	}
	return -1
}

// place is where a version stands in the history, the last time.
func (s *state) place(id string) int {
	for n := len(s.history) - 1; n > 0; n-- {
		if s.history[n].ID == id {
			return n
		}
	}
	return 0
}

// push puts a version on top of the history, in which it stands once.
func (s *state) push(e Entry) {
	s.history = slices.DeleteFunc(slices.Clone(s.history), func(old Entry) bool { return old.ID == e.ID && !old.Moved })
	s.history = append(s.history, e)
}

// event is something that has happened.
type event interface{ isEvent() }

type (
	// upgrade and rollback: somebody asks for another version. Ask is the number of the question.
	upgrade struct {
		Ask     int
		Version Version
	}
	rollback struct{ Ask int }
	// ready: the host answers and can take rooms; Moved as in Entry.
	ready struct {
		Host  int
		Moved bool
	}
	// lost: the link to the host has ended.
	lost struct{ Host int }
	// exited: the process of the host is gone.
	exited struct {
		Host   int
		Reason string
	}
	// moved: all rooms are with the host.
	moved struct{ Host int }
	// due: a restart timer fires.
	due struct{ Timer int }
	// healthy: the host has been serving for a while.
	healthy struct{ Host int }
	// proven: a probation has ended.
	proven struct{ Trial int }
	// counted: so many rooms could and could not be migrated by the host.
	counted struct {
		Host              int
		Failing, Migrated int
		Rooms             []Unfit // the first of Failing
	}
	// verdict: there has been time to count.
	verdict struct{ Trial int }
	// stop: it is over.
	stop struct{}
)

func (upgrade) isEvent()  {}
func (rollback) isEvent() {}
func (ready) isEvent()    {}
func (lost) isEvent()     {}
func (exited) isEvent()   {}
func (moved) isEvent()    {}
func (due) isEvent()      {}
func (healthy) isEvent()  {}
func (proven) isEvent()   {}
func (counted) isEvent()  {}
func (verdict) isEvent()  {}
func (stop) isEvent()     {}

// action is something to be done. None of them waits; what comes of it is an event.
type action interface{ isAction() }

type (
	// startHost starts a version's binary.
	startHost struct{ Host host }
	// killHost ends a host that has no rooms.
	killHost struct{ Host int }
	// retireHost ends a host whose rooms have moved, when it has answered its last calls.
	retireHost struct{ Host int }
	// attach gives all rooms to the host.
	attach struct{ Host host }
	// detach takes the host away from the platform: events wait.
	detach struct{}
	// startTimer asks for due.
	startTimer struct {
		Timer int
		Delay time.Duration
	}
	// watchHealth asks for healthy.
	watchHealth struct{ Host int }
	// startProbation asks for proven.
	startProbation struct{ Trial int }
	// startVerdict asks for verdict.
	startVerdict struct{ Trial int }
	// record keeps the history for the next start.
	record struct{ History []Entry }
	// tell says what has happened to whoever is interested.
	tell struct{ Notice Notice }
)

func (startHost) isAction()      {}
func (killHost) isAction()       {}
func (retireHost) isAction()     {}
func (attach) isAction()         {}
func (detach) isAction()         {}
func (startTimer) isAction()     {}
func (watchHealth) isAction()    {}
func (startProbation) isAction() {}
func (startVerdict) isAction()   {}
func (record) isAction()         {}
func (tell) isAction()           {}
