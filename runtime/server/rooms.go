//go:build !party_host

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/platform"
	"github.com/goparty-dev/party/internal/roomfile"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

func runRooms(v *invocation) int {
	word := ""
	if len(v.args) > 0 {
		word, v.args = v.args[0], v.args[1:]
	}
	switch word {
	case "list":
		return runRoomsList(v)
	case "export":
		return runRoomsExport(v)
	case "import":
		return runRoomsImport(v)
	}
	fmt.Fprintf(v.stderr, "error: rooms wants a word: rooms list [--party NAME], rooms export PARTY ROOM FILE or rooms import PARTY ROOM FILE\n")
	return 2
}

// storedRoom is a line of rooms list --json.
type storedRoom struct {
	Party   string     `json:"party"`
	Room    string     `json:"room"`
	Entries int        `json:"entries"`
	Bytes   int64      `json:"bytes"`
	Alarm   *time.Time `json:"alarm,omitempty"`
}

func runRoomsList(v *invocation) int {
	set := v.flagSet("rooms list", "")
	data := dataFlag(set)
	name := set.String("party", "", "only the rooms of this `party`")
	asJSON := set.Bool("json", false, "a JSON object a line")
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	enc := json.NewEncoder(v.stdout)
	err := sqlite.Rooms(v.ctx, filepath.Join(*data, StoreFile), *name, func(r sqlite.Stored) error {
		if *asJSON {
			line := storedRoom{Party: r.Room.Party, Room: r.Room.Name, Entries: r.Entries, Bytes: r.Bytes}
			if !r.Alarm.IsZero() {
				line.Alarm = &r.Alarm
			}
			return enc.Encode(line)
		}
		alarm := ""
		if !r.Alarm.IsZero() {
			alarm = ", alarm at " + r.Alarm.UTC().Format(time.RFC3339)
		}
		_, err := fmt.Fprintf(v.stdout, "%s/%s  %d entries, %d bytes%s\n", r.Room.Party, r.Room.Name, r.Entries, r.Bytes, alarm)
		return err
	})
	if err != nil {
		return v.fail(err)
	}
	return 0
}

func runRoomsExport(v *invocation) int {
	set := v.flagSet("rooms export", "PARTY ROOM FILE")
	data := dataFlag(set)
	args, code, ok := v.parse(set, 3)
	if !ok {
		return code
	}
	room := storage.Room{Party: args[0], Name: args[1]}
	store := filepath.Join(*data, StoreFile)
	if args[2] == "-" {
		if _, err := exportRoom(v.ctx, store, room, v.stdout); err != nil {
			return v.fail(err)
		}
		return 0
	}
	n, err := exportToFile(v.ctx, store, room, args[2])
	if err != nil {
		return v.fail(err)
	}
	fmt.Fprintf(v.stdout, "exported %s to %s: %d entries\n", room, args[2], n)
	return 0
}

// exportToFile writes a room to a new file, which is complete or not there.
func exportToFile(ctx context.Context, store string, room storage.Room, path string) (n int, err error) {
	out, err := os.CreateTemp(filepath.Dir(path), ".room-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(out.Name()) // the file has two names, or is of no use
	n, err = exportRoom(ctx, store, room, out)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return 0, err
	}
	// Unlike a rename it fails if there is a file.
	return n, os.Link(out.Name(), path)
}

func exportRoom(ctx context.Context, store string, room storage.Room, w io.Writer) (n int, err error) {
	var out *roomfile.Writer
	err = sqlite.ReadRoom(ctx, store, room, func(alarm time.Time) (err error) {
		out, err = roomfile.NewWriter(w, roomfile.Header{Room: room, Alarm: alarm})
		return err
	}, func(e storage.Entry) error {
		n++
		return out.Entry(e)
	})
	if err != nil {
		return n, err
	}
	return n, out.Close()
}

// importTime bounds how long a room may take to leave memory before it is replaced.
const importTime = 30 * time.Second

func runRoomsImport(v *invocation) int {
	set := v.flagSet("rooms import", "PARTY ROOM FILE")
	data := dataFlag(set)
	force := set.Bool("force", false, "put it in the place of what the room has stored")
	args, code, ok := v.parse(set, 3)
	if !ok {
		return code
	}
	room := storage.Room{Party: args[0], Name: args[1]}
	file, err := readFile(args[2])
	if err != nil {
		return v.fail(err)
	}
	_, entries, err := roomfile.Read(bytes.NewReader(file))
	if err != nil {
		return v.fail(fmt.Errorf("%s: %w", args[2], err))
	}
	if err := v.importRoom(*data, room, file, *force); err != nil {
		if errors.Is(err, platform.ErrHasData) {
			err = fmt.Errorf("%w: --force replaces it", err)
		}
		return v.fail(err)
	}
	fmt.Fprintf(v.stdout, "imported %s to %s: %d entries\n", args[2], room, len(entries))
	return 0
}

func readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// importRoom asks the server that uses the folder, or does it itself if there is none.
func (v *invocation) importRoom(data string, room storage.Room, file []byte, force bool) error {
	q := url.Values{"party": {room.Party}, "room": {room.Name}}
	if force {
		q.Set("force", "true")
	}
	body, err := askServer(v.ctx, data, http.MethodPut, "/room?"+q.Encode(), bytes.NewReader(file))
	if err == nil {
		return body.Close()
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	store, err := openStore(data)
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("%w; a server that runs with --upgradable takes rooms while it runs", err)
	}
	if err != nil {
		return err
	}
	err = importInto(v.ctx, v.app, store, room, file, force)
	return errors.Join(err, store.Close())
}

// importInto replaces a room of a store that nobody else uses, as a platform does.
func importInto(ctx context.Context, app *party.App, store storage.Store, room storage.Room, file []byte, force bool) error {
	names := make([]string, len(app.Rooms))
	for n, d := range app.Rooms {
		names[n] = d.Name
	}
	if !slices.Contains(names, room.Party) {
		err := fmt.Errorf("%w as %q", platform.ErrNoParty, room.Party)
		if hint := diag.DidYouMean(room.Party, names); hint != "" {
			err = fmt.Errorf("%w: %s", err, hint)
		}
		return err
	}
	with, err := replacement(bytes.NewReader(file), force)
	if err != nil {
		return err
	}
	if _, err := store.Migrate(ctx, app.Migrations); err != nil {
		return err
	}
	return platform.ReplaceStored(ctx, store, room, with)
}

func replacement(file io.Reader, force bool) (platform.Replacement, error) {
	h, entries, err := roomfile.Read(file)
	return platform.Replacement{Entries: entries, Alarm: h.Alarm, Force: force}, err
}

// maxRoomFile is how long the file of a room may be that a running server is given, in bytes.
const maxRoomFile = 1 << 30

// importRoom replaces a room of the running server.
func (c *control) importRoom(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	with, err := replacement(http.MaxBytesReader(w, r.Body, maxRoomFile), q.Get("force") == "true")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), importTime)
	defer cancel()
	switch err := c.sp.platform.Replace(ctx, storage.Room{Party: q.Get("party"), Name: q.Get("room")}, with); {
	case errors.Is(err, platform.ErrHasData):
		http.Error(w, err.Error()+": --force replaces it", http.StatusConflict)
	case errors.Is(err, platform.ErrRoomName):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, platform.ErrNoParty):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
