package sqlite

// schemaVersion is what this package writes and understands. Whoever changes
// the schema raises it and upgrades older files in openWriter.
const schemaVersion = 2

// applicationID marks the file as a party store, for file(1) and the like.
const applicationID = 0x70727479

// The schema. Keys are compared byte by byte: that is what SQLite's BINARY
// collation does with text, valid UTF-8 or not. A room has a row when it has an
// entry or an alarm, and only then.
const schema = `
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rooms (
	id    INTEGER PRIMARY KEY,
	party TEXT NOT NULL,
	name  TEXT NOT NULL,
	alarm INTEGER, -- milliseconds since 1970, NULL for none
	UNIQUE (party, name)
);

CREATE INDEX alarms ON rooms (alarm, party, name) WHERE alarm IS NOT NULL;

CREATE TABLE entries (
	room  INTEGER NOT NULL,
	key   TEXT NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (room, key)
) WITHOUT ROWID;

` + migrationsTable + `
CREATE VIEW storage AS
	SELECT rooms.party, rooms.name AS room, entries.key, CAST(entries.value AS TEXT) AS value
	FROM entries JOIN rooms ON rooms.id = entries.room;
`

// migrationsTable is there since version 2.
const migrationsTable = `
CREATE TABLE migrations (
	number INTEGER PRIMARY KEY,
	tag    TEXT NOT NULL UNIQUE
);
`

// tables are those without which a file is no store.
var tables = []string{"meta", "rooms", "entries"}

// What readers ask.
const (
	findRoom = `SELECT id, alarm FROM rooms WHERE party = ?1 AND name = ?2`
	getValue = `SELECT value FROM entries WHERE room = ?1 AND key = ?2`

	listUp       = `SELECT key, value FROM entries WHERE room = ?1 AND key >= ?2 ORDER BY key`
	listDown     = `SELECT key, value FROM entries WHERE room = ?1 AND key >= ?2 ORDER BY key DESC`
	listUpUntil  = `SELECT key, value FROM entries WHERE room = ?1 AND key >= ?2 AND key < ?3 ORDER BY key`
	listDownFrom = `SELECT key, value FROM entries WHERE room = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC`

	listAlarms = `SELECT alarm, party, name FROM rooms
		WHERE alarm IS NOT NULL AND (alarm, party, name) > (?1, ?2, ?3)
		ORDER BY alarm, party, name LIMIT ?4`
)

// What migrations do, which is too seldom to be prepared.
const (
	listTags = `SELECT tag FROM migrations ORDER BY number`
	addTag   = `INSERT INTO migrations (tag) VALUES (?1)`

	findTwin   = `SELECT name FROM rooms WHERE party = ?1 AND name IN (SELECT name FROM rooms WHERE party = ?2) ORDER BY name LIMIT 1`
	moveRooms  = `UPDATE rooms SET party = ?2 WHERE party = ?1`
	dropValues = `DELETE FROM entries WHERE room IN (SELECT id FROM rooms WHERE party = ?1)`
	dropRooms  = `DELETE FROM rooms WHERE party = ?1`
	countRooms = `SELECT party, count(*) FROM rooms GROUP BY party`
)

// What the writer does.
const (
	addRoom   = `INSERT INTO rooms (party, name) VALUES (?1, ?2)`
	putEntry  = `INSERT INTO entries (room, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value`
	delEntry  = `DELETE FROM entries WHERE room = ?1 AND key = ?2`
	clearRoom = `DELETE FROM entries WHERE room = ?1`
	setAlarm  = `UPDATE rooms SET alarm = ?2 WHERE id = ?1`
	dropRoom  = `DELETE FROM rooms WHERE id = ?1 AND alarm IS NULL
		AND NOT EXISTS (SELECT 1 FROM entries WHERE room = ?1)`

	nextEpoch = `UPDATE meta SET value = value + 1 WHERE key = 'epoch' RETURNING value`
)
