package sqlite

import (
	"context"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
)

// merge lists stored rows and pending writes together, both in the same order of
// keys. Where they have a key in common the pending write counts.
type merge struct {
	limit   int
	reverse bool
	rows    *sqlite.Stmt // key and value; nil for none
	writes  []pendingWrite

	key string // of the current row
	row bool   // there is one
}

// contextRows is how many rows are read before the context is looked at again.
const contextRows = 256

func (m *merge) entries(ctx context.Context) ([]storage.Entry, error) {
	var entries []storage.Entry
	if err := m.next(); err != nil {
		return nil, err
	}
	for n := 1; m.limit <= 0 || len(entries) < m.limit; n++ {
		if n%contextRows == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pending := len(m.writes) > 0
		switch {
		case !m.row && !pending:
			return entries, nil
		case m.row && (!pending || m.before(m.key, m.writes[0].key)):
			entries = append(entries, storage.Entry{Key: m.key, Value: blob(m.rows, 1)})
			if err := m.next(); err != nil {
				return nil, err
			}
		default:
			w := m.writes[0]
			m.writes = m.writes[1:]
			if !w.deleted {
				entries = append(entries, storage.Entry{Key: w.key, Value: w.value})
			}
			if m.row && m.key == w.key {
				if err := m.next(); err != nil {
					return nil, err
				}
			}
		}
	}
	return entries, nil
}

// before reports whether key a is listed before key b.
func (m *merge) before(a, b string) bool {
	if m.reverse {
		a, b = b, a
	}
	return a < b
}

// next steps to the next row.
func (m *merge) next() (err error) {
	if m.rows == nil {
		return nil
	}
	if m.row, err = m.rows.Step(); m.row {
		m.key = m.rows.ColumnText(0)
	} else {
		// Another step would begin anew.
		m.rows = nil
	}
	return err
}
