package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/goparty-dev/party/runtime/storage"
)

// Stored is a room with data, as a tool sees it.
type Stored struct {
	Room    storage.Room
	Entries int
	Bytes   int64     // of keys and values
	Alarm   time.Time // zero for none
}

// surveyRooms is what tools ask.
const surveyRooms = `SELECT rooms.party, rooms.name, rooms.alarm, count(entries.key), coalesce(sum(length(CAST(entries.key AS BLOB)) + length(entries.value)), 0)
	FROM rooms LEFT JOIN entries ON entries.room = rooms.id
	WHERE ?1 = '' OR rooms.party = ?1
	GROUP BY rooms.id ORDER BY rooms.party, rooms.name`

// Rooms tells each about the rooms with data or an alarm of a party, or of all parties if it is "", in byte order, as of
// one moment. The store may be in use; its errors are those of [Look] and of each.
func Rooms(ctx context.Context, path, party string, each func(Stored) error) error {
	err := reading(ctx, path, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteTransient(conn, surveyRooms, &sqlitex.ExecOptions{Args: []any{party}, ResultFunc: func(stmt *sqlite.Stmt) error {
			s := Stored{
				Room:    storage.Room{Party: stmt.ColumnText(0), Name: stmt.ColumnText(1)},
				Entries: int(stmt.ColumnInt64(3)), Bytes: stmt.ColumnInt64(4),
			}
			if !stmt.ColumnIsNull(2) {
				s.Alarm = time.UnixMilli(stmt.ColumnInt64(2))
			}
			return each(s)
		}})
	})
	if err != nil {
		return fmt.Errorf("list rooms of store %q: %w", path, err)
	}
	return nil
}

// ErrNoRoom says that nothing is stored of a room.
var ErrNoRoom = errors.New("nothing is stored of this room")

// ReadRoom calls begin with a room's alarm, zero for none, and then each with its entries in byte order, all as of one
// moment. What it reads is durable. The store may be in use, which is not held up. The error is [ErrNoRoom] if there is
// no such room, or one of [Look], begin and each.
func ReadRoom(ctx context.Context, path string, room storage.Room, begin func(alarm time.Time) error, each func(storage.Entry) error) error {
	err := reading(ctx, path, func(conn *sqlite.Conn) error {
		var row int64
		var alarm time.Time
		err := sqlitex.ExecuteTransient(conn, findRoom, &sqlitex.ExecOptions{Args: []any{room.Party, room.Name}, ResultFunc: func(stmt *sqlite.Stmt) error {
			row = stmt.ColumnInt64(0)
			if !stmt.ColumnIsNull(1) {
				alarm = time.UnixMilli(stmt.ColumnInt64(1))
			}
			return nil
		}})
		if err != nil {
			return err
		}
		if row == 0 {
			return ErrNoRoom
		}
		if err := begin(alarm); err != nil {
			return err
		}
		return sqlitex.ExecuteTransient(conn, listUp, &sqlitex.ExecOptions{Args: []any{row, ""}, ResultFunc: func(stmt *sqlite.Stmt) error {
			return each(storage.Entry{Key: stmt.ColumnText(0), Value: blob(stmt, 1)})
		}})
	})
	if err != nil {
		return fmt.Errorf("read room %q of store %q: %w", room, path, err)
	}
	return nil
}

// reading calls do in one read transaction, unless the store is empty.
func reading(ctx context.Context, path string, do func(*sqlite.Conn) error) (err error) {
	conn, err := readOnly(path)
	if err != nil {
		return err
	}
	if conn == nil {
		return fs.ErrNotExist
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetInterrupt(ctx.Done())
	err = sqlitex.ExecuteTransient(conn, `BEGIN`, nil)
	if err == nil {
		err = do(conn)
		conn.SetInterrupt(nil)
		err = errors.Join(err, sqlitex.ExecuteTransient(conn, `ROLLBACK`, nil))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return diagnose(err)
}

// readOnly opens the store at path, which may be in use, after a look at whether it is one. There is no
// connection if the file is empty.
func readOnly(path string) (*sqlite.Conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	size, err := fileSize(path)
	if err != nil || size == 0 {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, diagnose(err)
	}
	conn.SetBusyTimeout(busyTimeout)
	if err := check(conn, size); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
