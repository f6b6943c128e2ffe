package sqlite

import (
	"log/slog"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite/sqlitex"
)

// TestWriterIsDurable asks for the settings that a power cut would need, as
// no test here cuts the power.
func TestWriterIsDurable(t *testing.T) {
	w, epoch, err := openWriter(filepath.Join(t.TempDir(), "party.db"), Options{Logger: slog.Default(), logPages: defaultLogPages})
	if err != nil {
		t.Fatal(err)
	}
	defer w.conn.Close()
	if epoch != 1 {
		t.Errorf("first epoch is %d, want 1", epoch)
	}
	const full = 2
	if got, err := number(w.conn, `PRAGMA synchronous`); err != nil || got != full {
		t.Errorf("synchronous = %d, %v, want %d", got, err, full)
	}
	mode, err := w.conn.Prepare(`PRAGMA journal_mode`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sqlitex.ResultText(mode); err != nil || got != "wal" {
		t.Errorf("journal_mode = %q, %v, want %q", got, err, "wal")
	}
}
