package devserver

import (
	"time"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hostproc"
)

// state is all that the loop knows. It is a value: next returns a new one.
type state struct {
	build    int      // number of the last build begun
	building bool     // it is running
	failure  *failure // of the last build or start, until one succeeds
	crash    *crash   // of the present code, until it has run well for a while
	bundling *failure // of the last browser bundles, until they succeed

	hosts    int   // number of the last host started
	current  host  // has the rooms; its number is 0 when there is none
	starting host  // does not answer yet
	leaving  []int // their rooms are moving to current

	crashes  int // in a row
	timers   int // number of the last restart timer
	timer    int // the one that is running, or 0
	again    int // build to start when it fires
	served   bool
	stopping bool
}

// host is a host process by the numbers of itself and its build.
type host struct {
	id, build int
	why       cause
	lost      bool // its link has ended, how is not known yet
}

// cause is why a host was started.
type cause uint8

const (
	firstStart cause = iota
	reload
	restart
)

// failure is why there is no new code.
type failure struct {
	// Diagnostics and Output are what the build said. Start is set instead when the
	// program was built and ended, or did not answer, before it could take over.
	Diagnostics diag.List
	Output      string
	Start       *hostproc.Reason
}

// crash is how the code that was serving has ended.
type crash struct {
	Reason hostproc.Reason
	Delay  time.Duration // until the restart
}

// event is something that has happened.
type event interface{ isEvent() }

type (
	// changed: files are not what they were. Source says that a build is needed, Assets
	// that pages are to be loaded again, Command that the build command runs before the build.
	changed struct {
		Source, Assets, Command bool
		At                      time.Time // when it was noticed; nothing depends on it
	}
	// rebuild: the user asks for a build.
	rebuild struct{}
	// built: the build has made a binary.
	built struct{ Build int }
	// broke: the build has ended without.
	broke struct {
		Build   int
		Failure failure
	}
	// ready: the host answers and can take rooms.
	ready struct{ Host int }
	// lost: the link to the host has ended.
	lost struct{ Host int }
	// exited: the process of the host is gone.
	exited struct {
		Host   int
		Reason hostproc.Reason
	}
	// moved: all rooms are with the host.
	moved struct{ Host int }
	// due: a restart timer fires.
	due struct{ Timer int }
	// bundled: browser code was bundled, or was not.
	bundled struct {
		Failure  *failure // nil if it was
		Warnings diag.List
	}
	// healthy: the host has been serving for a while.
	healthy struct{ Host int }
	// stop: the user has had enough.
	stop struct{}
)

func (changed) isEvent() {}
func (rebuild) isEvent() {}
func (built) isEvent()   {}
func (broke) isEvent()   {}
func (ready) isEvent()   {}
func (lost) isEvent()    {}
func (exited) isEvent()  {}
func (moved) isEvent()   {}
func (due) isEvent()     {}
func (healthy) isEvent() {}
func (bundled) isEvent() {}
func (stop) isEvent()    {}

// action is something to be done. None of them waits; what comes of it is an event.
type action interface{ isAction() }

type (
	// beginBuild cancels the build before it, if it is still running.
	beginBuild struct{ Build int }
	// startHost starts the binary of a build.
	startHost struct {
		Host, Build int
		Why         cause
	}
	// killHost ends a host that has no rooms.
	killHost struct{ Host int }
	// retireHost ends a host whose rooms have moved, when it has answered its last calls.
	retireHost struct{ Host int }
	// adopt gives all rooms to the host.
	adopt struct{ Host int }
	// detach takes the host away from the platform: events wait.
	detach struct{}
	// startTimer asks for due.
	startTimer struct {
		Timer int
		Delay time.Duration
	}
	// watchHealth asks for healthy.
	watchHealth struct{ Host int }
	// reloadPages tells browsers that assets have changed.
	reloadPages struct{}
	// show tells the user something.
	show struct{ What notice }
	// shutDown ends the loop.
	shutDown struct{}
)

func (beginBuild) isAction()  {}
func (startHost) isAction()   {}
func (killHost) isAction()    {}
func (retireHost) isAction()  {}
func (adopt) isAction()       {}
func (detach) isAction()      {}
func (startTimer) isAction()  {}
func (watchHealth) isAction() {}
func (reloadPages) isAction() {}
func (show) isAction()        {}
func (shutDown) isAction()    {}

// notice is what the user is told.
type notice interface{ isNotice() }

type (
	// buildFailed: see failure. Serving says that older code goes on.
	buildFailed struct {
		Failure failure
		Serving bool
	}
	// crashed: see crash. Replaced says that newer code is already on its way.
	crashed struct {
		Crash    crash
		Replaced bool
	}
	// bundlesMade: see bundled. Mended says that they had failed.
	bundlesMade struct {
		bundled
		Mended bool
	}
	// running: new code has the rooms.
	running struct {
		Host int
		Why  cause
	}
)

func (buildFailed) isNotice() {}
func (crashed) isNotice()     {}
func (running) isNotice()     {}
func (bundlesMade) isNotice() {}
