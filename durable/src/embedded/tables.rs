//! The tables of a hub file, and every statement on them.
//!
//! Knows SQL and nothing else. All keys are integers in the order of creation, so that what is busy
//! at one time shares pages. An episode appends one row to `history` and updates one of `instances`;
//! a history is a chain: the instance names its last row, each row the one before.

use crate::history::format;

/// The number of the layout below, kept in the file as `user_version`.
pub(super) const FORMAT: u32 = 1;

// The events inside the rows have a format of their own; a file has only one number for both.
const _: () = assert!(format::VERSION == 1, "a new format of events is a new format of files: raise FORMAT");

/// Marks a file as a task hub ("Durb"), kept in the file as `application_id`.
pub(super) const APPLICATION: i32 = 0x4475_7262;

pub(super) const CREATE: &str = "
    -- One row for each instance id. `live` is 1 until the instance ends, then NULL; `last` is the
    -- newest row of its history, `sequence` how many there are, `open` how many tasks and timers
    -- nobody has answered.
    CREATE TABLE instances (
        key           INTEGER PRIMARY KEY,
        id            TEXT NOT NULL UNIQUE,
        live          INTEGER,
        status        INTEGER NOT NULL,
        execution     TEXT NOT NULL,
        generation    INTEGER NOT NULL,
        last          INTEGER,
        sequence      INTEGER NOT NULL,
        open          INTEGER NOT NULL,
        updated       INTEGER NOT NULL,
        custom_status TEXT,
        output        TEXT,
        failure       TEXT
    );
    CREATE INDEX live_instances ON instances (live) WHERE live IS NOT NULL;
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
    DROP TABLE instances; DROP TABLE starts; DROP TABLE history; DROP TABLE messages; DROP TABLE arrivals;
    PRAGMA application_id = 0; PRAGMA user_version = 0;
    COMMIT;";

pub(super) const INSERT_INSTANCE: &str = "
    INSERT INTO instances (id, live, status, execution, generation, sequence, open, updated)
    VALUES (?1, 1, 0, ?2, 0, 0, 0, ?3) ON CONFLICT (id) DO NOTHING";
pub(super) const FIND_INSTANCE: &str = "SELECT key, live, generation, last FROM instances WHERE id = ?1";
pub(super) const REPLACE_INSTANCE: &str = "
    UPDATE instances SET live = 1, status = 0, execution = ?2, generation = ?3, last = NULL, sequence = 0,
        open = 0, updated = ?4, custom_status = NULL, output = NULL, failure = NULL
    WHERE key = ?1";
pub(super) const PUT_START: &str = "INSERT OR REPLACE INTO starts (key, started) VALUES (?1, ?2)";

pub(super) const APPEND_HISTORY: &str =
    "INSERT INTO history (previous, instance, sequence, events, cancelled) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const READ_HISTORY_ROW: &str =
    "SELECT previous, instance, sequence, events, cancelled FROM history WHERE row = ?1";
pub(super) const READ_PREVIOUS: &str = "SELECT previous FROM history WHERE row = ?1";
pub(super) const DELETE_HISTORY_ROW: &str = "DELETE FROM history WHERE row = ?1";

// `live` stands in the last statement alone: a column of an index costs with each update of it.
pub(super) const ADVANCE: &str =
    "UPDATE instances SET status = ?2, last = ?3, sequence = ?4, open = ?5, updated = ?6 WHERE key = ?1";
pub(super) const SET_EXECUTION: &str = "UPDATE instances SET execution = ?2 WHERE key = ?1";
pub(super) const PUBLISH: &str = "
    UPDATE instances SET custom_status = coalesce(?2, custom_status), output = coalesce(?3, output),
        failure = coalesce(?4, failure) WHERE key = ?1";
pub(super) const REOPEN: &str = "
    UPDATE instances SET live = 1, status = 1, output = NULL, failure = NULL WHERE id = ?1 AND status = 4
    RETURNING key";
pub(super) const END: &str = "UPDATE instances SET live = NULL WHERE key = ?1";

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
    SELECT i.status, i.execution, i.generation, i.updated, i.custom_status, i.output, i.failure, s.started
    FROM instances i LEFT JOIN starts s ON s.key = i.key WHERE i.id = ?1";
pub(super) const READ_CHAIN: &str = "SELECT key, last, sequence FROM instances WHERE id = ?1";
pub(super) const READ_LIVE: &str = "
    SELECT key, id, status, execution, generation, last, sequence, open FROM instances
    WHERE live = 1 ORDER BY key";
pub(super) const READ_HEAD: &str = "
    SELECT key, id, status, execution, generation, last, sequence, open FROM instances
    WHERE key = ?1 AND live = 1";
pub(super) const READ_START: &str = "SELECT started FROM starts WHERE key = ?1";
