//! The tables of a hub file, and every statement on them.
//!
//! Knows SQL and nothing else. All keys are integers in the order of creation, so that what is busy
//! at one time shares pages. An episode appends one row to `history` and updates one of `instances`;
//! a history is a chain: the instance names its last row, each row the one before.

use crate::history::format;

/// The number of the layout below, kept in the file as `user_version`.
pub(super) const FORMAT: u32 = 2;

// The events inside the rows have a format of their own; a file has only one number for both.
const _: () = assert!(format::VERSION == 1, "a new format of events is a new format of files: raise FORMAT");

/// Marks a file as a task hub ("Durb"), kept in the file as `application_id`.
pub(super) const APPLICATION: i32 = 0x4475_7262;

pub(super) const CREATE: &str = "
    -- One row for each instance id. `shelf` says where a query finds it: 0 while it is pending or running,
    -- since nearly every instance passes through both and a column of an index costs with each change; from
    -- then on its status. `last` is the newest row of its history, `sequence` how many there are, `open`
    -- how many tasks and timers nobody has answered. `retention` is how long it is kept when it has ended,
    -- `purge_at` until when. The row with the greatest key is never deleted, so that no key is
    -- given twice: it stays, with no id and on no shelf, until there is a greater one.
    CREATE TABLE instances (
        key           INTEGER PRIMARY KEY,
        id            TEXT NOT NULL UNIQUE,
        shelf         INTEGER,
        status        INTEGER NOT NULL,
        execution     TEXT NOT NULL,
        generation    INTEGER NOT NULL,
        last          INTEGER,
        sequence      INTEGER NOT NULL,
        open          INTEGER NOT NULL,
        updated       INTEGER NOT NULL,
        name          INTEGER NOT NULL,
        created       INTEGER NOT NULL,
        retention     INTEGER,
        purge_at      INTEGER,
        custom_status TEXT,
        output        TEXT,
        failure       TEXT
    );
    CREATE INDEX shelves ON instances (shelf, name, created);
    CREATE INDEX purges ON instances (purge_at) WHERE purge_at IS NOT NULL;
    -- The names of orchestrators, and how many instances of each stand where.
    CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE counts (
        status INTEGER NOT NULL, name INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (status, name)
    ) WITHOUT ROWID;
    CREATE TABLE tags (
        tag TEXT NOT NULL, value TEXT NOT NULL, created INTEGER NOT NULL, instance INTEGER NOT NULL,
        PRIMARY KEY (tag, value, created, instance)
    ) WITHOUT ROWID;
    CREATE INDEX tags_of ON tags (instance);
    -- How the current execution of an instance was started; apart, because it never changes while
    -- the row in `instances` does with each episode, and inputs may be large.
    CREATE TABLE starts (key INTEGER PRIMARY KEY, started BLOB NOT NULL);
    CREATE TABLE history (
        row       INTEGER PRIMARY KEY,
        previous  INTEGER,
        instance  INTEGER NOT NULL,
        sequence  INTEGER NOT NULL,
        events    BLOB NOT NULL,
        cancelled BLOB
    );
    -- Messages to an instance that no checkpoint of it has consumed.
    CREATE TABLE messages (
        row        INTEGER PRIMARY KEY,
        instance   INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        execution  TEXT,
        visible_at INTEGER,
        event      BLOB NOT NULL
    );
    -- What somebody else than the worker's process wrote, for the worker to notice: an instance, or
    -- a message to it.
    CREATE TABLE arrivals (row INTEGER PRIMARY KEY, instance INTEGER NOT NULL, message INTEGER);
";

/// Leaves nothing: whoever has the file open meets no hub, even when the file itself has gone.
pub(super) const CLEAR: &str = "
    BEGIN IMMEDIATE;
    DROP TABLE instances; DROP TABLE names; DROP TABLE counts; DROP TABLE tags; DROP TABLE starts;
    DROP TABLE history; DROP TABLE messages; DROP TABLE arrivals;
    PRAGMA application_id = 0; PRAGMA user_version = 0;
    COMMIT;";

pub(super) const INSERT_INSTANCE: &str = "
    INSERT INTO instances (id, shelf, status, execution, generation, sequence, open, updated, name, created, retention)
    VALUES (?1, 0, 0, ?2, 0, 0, 0, ?3, ?4, ?3, ?5) ON CONFLICT (id) DO NOTHING";
pub(super) const FIND_INSTANCE: &str =
    "SELECT key, status, generation, last, name, created FROM instances WHERE id = ?1";
pub(super) const FIND_PLACE: &str =
    "SELECT key, status, generation, last, name, created FROM instances WHERE key = ?1";
pub(super) const REPLACE_INSTANCE: &str = "
    UPDATE instances SET shelf = 0, status = 0, execution = ?2, generation = ?3, last = NULL, sequence = 0,
        open = 0, updated = ?4, name = ?5, created = ?4, retention = ?6, purge_at = NULL, custom_status = NULL,
        output = NULL, failure = NULL
    WHERE key = ?1";
pub(super) const PUT_START: &str = "INSERT OR REPLACE INTO starts (key, started) VALUES (?1, ?2)";

pub(super) const APPEND_HISTORY: &str =
    "INSERT INTO history (previous, instance, sequence, events, cancelled) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const REWRITE_HISTORY: &str = "UPDATE history SET events = ?2, cancelled = ?3 WHERE row = ?1";
pub(super) const READ_HISTORY_ROW: &str =
    "SELECT previous, instance, sequence, events, cancelled FROM history WHERE row = ?1";
pub(super) const READ_PREVIOUS: &str = "SELECT previous FROM history WHERE row = ?1";
pub(super) const DELETE_HISTORY_ROW: &str = "DELETE FROM history WHERE row = ?1";

// The columns of an index stand in statements of their own: they cost with each update.
pub(super) const ADVANCE: &str =
    "UPDATE instances SET status = ?2, last = ?3, sequence = ?4, open = ?5, updated = ?6 WHERE key = ?1";
pub(super) const SET_EXECUTION: &str = "UPDATE instances SET execution = ?2 WHERE key = ?1";
pub(super) const PUBLISH: &str = "
    UPDATE instances SET custom_status = coalesce(?2, custom_status), output = coalesce(?3, output),
        failure = coalesce(?4, failure) WHERE key = ?1";
pub(super) const SHELVE: &str = "UPDATE instances SET shelf = ?2 WHERE key = ?1";
pub(super) const REOPEN: &str = "
    UPDATE instances SET shelf = 0, status = 1, purge_at = NULL, output = NULL, failure = NULL
    WHERE id = ?1 AND status = 4 RETURNING key, name";
pub(super) const READ_RETENTION: &str = "SELECT retention FROM instances WHERE key = ?1";
pub(super) const END: &str = "
    UPDATE instances SET status = ?2, last = ?3, sequence = ?4, open = ?5, updated = ?6,
        custom_status = coalesce(?7, custom_status), output = coalesce(?8, output), failure = coalesce(?9, failure),
        shelf = ?10, purge_at = ?11
    WHERE key = ?1";

pub(super) const INSERT_MESSAGE: &str = "
    INSERT INTO messages (instance, generation, execution, visible_at, event) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const DELETE_MESSAGE: &str = "DELETE FROM messages WHERE row = ?1";
pub(super) const READ_MESSAGE: &str =
    "SELECT row, instance, generation, execution, visible_at, event FROM messages WHERE row = ?1";
pub(super) const READ_MESSAGES: &str =
    "SELECT row, instance, generation, execution, visible_at, event FROM messages ORDER BY row";

pub(super) const INSERT_ARRIVAL: &str = "INSERT INTO arrivals (instance, message) VALUES (?1, ?2)";
pub(super) const READ_ARRIVALS: &str = "SELECT instance, message FROM arrivals ORDER BY row";
pub(super) const DELETE_ARRIVALS: &str = "DELETE FROM arrivals";

pub(super) const READ_STATE: &str = "
    SELECT i.status, i.execution, i.generation, i.updated, i.created, i.custom_status, i.output, i.failure, s.started
    FROM instances i LEFT JOIN starts s ON s.key = i.key WHERE i.id = ?1";
pub(super) const READ_STATE_AT: &str = "
    SELECT i.status, i.execution, i.generation, i.updated, i.created, i.custom_status, i.output, i.failure, s.started,
        i.id
    FROM instances i LEFT JOIN starts s ON s.key = i.key WHERE i.key = ?1";
pub(super) const READ_CHAIN: &str = "SELECT key, last, sequence FROM instances WHERE id = ?1";
// Pending, running and suspended ones; in the order of the index, since sorting many rows takes room.
pub(super) const READ_LIVE: &str = "
    SELECT key, id, status, execution, generation, last, sequence, open, name FROM instances
    WHERE shelf IN (0, 2)";
pub(super) const READ_HEAD: &str = "
    SELECT key, id, status, execution, generation, last, sequence, open, name FROM instances
    WHERE key = ?1 AND shelf IN (0, 2)";
pub(super) const READ_START: &str = "SELECT started FROM starts WHERE key = ?1";

pub(super) const FIND_NAME: &str = "SELECT number FROM names WHERE name = ?1";
pub(super) const INSERT_NAME: &str = "INSERT INTO names (name) VALUES (?1)";
pub(super) const COUNT: &str = "
    INSERT INTO counts (status, name, count) VALUES (?1, ?2, ?3)
    ON CONFLICT (status, name) DO UPDATE SET count = count + excluded.count";
// An entity is listed under a name with an `@`, and is not asked for here.
pub(super) const READ_COUNTS: &str = "
    SELECT c.status, c.name, c.count, n.name FROM counts c JOIN names n ON n.number = c.name
    WHERE c.count > 0 AND n.name NOT LIKE '@%'";

pub(super) const INSERT_TAG: &str =
    "INSERT INTO tags (tag, value, created, instance) VALUES (?1, ?2, ?3, ?4)";
pub(super) const TAG_AGAIN: &str = "
    INSERT INTO tags (tag, value, created, instance) SELECT ?1, ?2, created, key FROM instances WHERE key = ?3";
pub(super) const DELETE_TAGS: &str = "DELETE FROM tags WHERE instance = ?1";
pub(super) const HAS_TAG: &str =
    "SELECT 1 FROM tags WHERE tag = ?1 AND value = ?2 AND created = ?3 AND instance = ?4";

// What a query walks along. Each begins behind a place; `?3`, `?4` or `?1` name the place.
pub(super) const WALK_SHELF: &str = "
    SELECT created, key FROM instances
    WHERE shelf = ?1 AND name = ?2 AND (created, key) > (?3, ?4) AND created <= ?5 ORDER BY created, key LIMIT ?6";
pub(super) const WALK_TAG: &str = "
    SELECT created, instance FROM tags
    WHERE tag = ?1 AND value = ?2 AND (created, instance) > (?3, ?4) AND created <= ?5
    ORDER BY created, instance LIMIT ?6";
pub(super) const WALK_IDS: &str = "SELECT id, key FROM instances WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(super) const WALK_ENTITIES: &str = "SELECT id, updated, last FROM instances WHERE id >= ?1 ORDER BY id";
pub(super) const READ_PLACE: &str = "SELECT id, status, shelf, name, created FROM instances WHERE key = ?1";
// How many there are, counted no further than a limit.
pub(super) const PROBE_TAG: &str =
    "SELECT count(*) FROM (SELECT 1 FROM tags WHERE tag = ?1 AND value = ?2 LIMIT ?3)";
pub(super) const PROBE_IDS: &str =
    "SELECT count(*) FROM (SELECT 1 FROM instances WHERE id >= ?1 AND id < ?2 LIMIT ?3)";

pub(super) const GREATEST_KEY: &str = "SELECT max(key) FROM instances";
pub(super) const DELETE_START: &str = "DELETE FROM starts WHERE key = ?1";
pub(super) const DELETE_INSTANCE: &str = "DELETE FROM instances WHERE key = ?1";
pub(super) const DELETE_PLACEHOLDER: &str = "DELETE FROM instances WHERE id = ''";
pub(super) const LEAVE_PLACEHOLDER: &str = "
    UPDATE instances SET id = '', shelf = NULL, last = NULL, purge_at = NULL, custom_status = NULL, output = NULL,
        failure = NULL
    WHERE key = ?1";
pub(super) const NEXT_PURGE: &str = "SELECT min(purge_at) FROM instances WHERE purge_at IS NOT NULL";
pub(super) const DUE_PURGES: &str =
    "SELECT key FROM instances WHERE purge_at <= ?1 ORDER BY purge_at LIMIT ?2";
