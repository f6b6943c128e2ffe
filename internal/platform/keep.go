package platform

import "time"

// maxKept is the most that an instance may leave for the next one.
const maxKept = 4 << 20

// kept is what an instance has left for the next one. Guarded by room.mu.
type kept struct {
	data  string
	timer *time.Timer // forgets it; the room is in use until then
}

// take hands over what is kept. The next instance keeps it again if it wants to.
func (k *kept) take() string {
	data := k.data
	k.data = ""
	return data
}

// keep holds data for the next instance, for some seconds. Called with mu held.
func (r *room) keep(data string, seconds int) {
	r.dropKept()
	if data == "" || r.p.closing.Load() {
		return
	}
	if len(data) > maxKept {
		r.p.log.Warn("too much to keep for the next instance of the room; it is dropped", "party", r.key.Party, "room", r.key.Name, "bytes", len(data))
		return
	}
	r.use()
	r.kept.data = data
	r.kept.timer = time.AfterFunc(time.Duration(seconds)*time.Second, func() {
		r.mu.Lock()
		r.kept.data = ""
		r.mu.Unlock()
		r.unuse()
	})
}

// dropKept forgets what is kept. Called with mu held.
func (r *room) dropKept() {
	if r.kept.timer != nil && r.kept.timer.Stop() {
		go r.unuse() // not under mu
	}
	r.kept = kept{}
}
