//! A hub kept in a SQLite file: the store behind `sqlite:`.
//!
//! Owned by the writer's thread. Must not know the queue. Begin with [`FileStore`].

use std::{fs, sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    database::Place,
    error::Trouble,
    hold::Hold,
    place, reading,
    rows::{self, Key, NameNumber, Row, StoredEpisode, StoredHead, StoredMessage, Taken},
    store::{Accepted, Added, Arrival, Kept, Store, WrittenEpisode, WrittenMessage},
    tables,
    tally::Tally,
    tidier::{self, Tidier},
};
use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent},
    model::{InstanceId, InstanceState, RuntimeStatus, Timestamp},
    provider::{NewInstance, ProviderErrorKind, Reuse},
};

/// What [`FileStore::seen`] is when the next look must find a change.
const UNSEEN: i64 = -1;

/// The one connection of this process that writes.
pub(super) struct FileStore {
    pub(super) place: Arc<Place>,
    connection: Option<Connection>,
    tidier: Option<Tidier>,
    /// How many statements have been run since the tidier looked.
    untidied: u32,
    /// SQLite's count of what other connections have committed, when it was last looked at.
    seen: i64,
    hold: Option<Hold>,
    pub(super) tally: Tally,
    /// For how long ended instances are kept that say nothing of their own.
    pub(super) retention: Option<Duration>,
}

impl FileStore {
    pub(super) fn new(place: Arc<Place>, retention: Option<Duration>) -> Self {
        Self {
            place,
            connection: None,
            tidier: None,
            untidied: 0,
            seen: 0,
            hold: None,
            tally: Tally::default(),
            retention,
        }
    }

    pub(super) fn connection(&mut self) -> Result<&Connection, Trouble> {
        if self.connection.is_none() {
            self.connection = Some(self.place.open_or_create()?);
            self.seen = self.version()?;
        }
        Ok(self.connection.as_ref().expect("a connection has just been opened"))
    }

    pub(super) fn run(&mut self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Trouble> {
        self.untidied += 1;
        Ok(self.connection()?.prepare_cached(sql)?.execute(values)?)
    }

    /// The number of the name under which an instance is listed.
    fn name(&mut self, started: &ExecutionStarted) -> Result<NameNumber, Trouble> {
        self.connection()?;
        let Self { connection, tally, .. } = self;
        let connection = connection.as_ref().expect("a connection has just been opened");
        tally.name(connection, &rows::listed_name(started))
    }

    /// Has the log moved to the file beside this, if that is worthwhile.
    fn tidy(&mut self) -> Result<(), Trouble> {
        let Self { connection: Some(connection), tidier, place, .. } = self else { return Ok(()) };
        if tidier.is_none() {
            *tidier = Some(Tidier::start(place.clone())?);
        }
        tidier.as_ref().map_or(Ok(()), |tidier| tidier.tidy(connection))
    }

    fn version(&mut self) -> Result<i64, Trouble> {
        let connection = self.connection()?;
        Ok(connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))?)
    }

    pub(super) fn find(&mut self, id: &InstanceId) -> Result<Option<Taken>, Trouble> {
        let connection = self.connection()?;
        Ok(connection
            .prepare_cached(tables::FIND_INSTANCE)?
            .query_row([id.as_str()], Taken::read)
            .optional()?)
    }

    /// Gives a taken id to a new instance, if the rule of reuse allows it; its key and generation.
    fn replace(&mut self, new: &NewInstance, name: NameNumber) -> Result<(Key, u32), Trouble> {
        let started = &new.started;
        let taken = self.find(&started.instance)?;
        let taken = taken.ok_or_else(|| Trouble::corrupt("an id is taken by no instance"))?;
        if taken.is_live() || new.reuse == Reuse::Never {
            return Err(Trouble::new(ProviderErrorKind::AlreadyExists));
        }
        self.forget_history(taken.last)?;
        let generation = taken.generation.saturating_add(1);
        self.run(tables::DELETE_TAGS, [taken.key])?;
        let (execution, created) = (started.execution.as_str(), new.at.as_microseconds());
        let retention = started.retention.map(rows::retention_number);
        let values = params![taken.key, execution, generation, created, name, retention];
        self.run(tables::REPLACE_INSTANCE, values)?;
        self.tally.count(taken.status, taken.name, -1);
        Ok((taken.key, generation))
    }
}

impl Store for FileStore {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.run("BEGIN IMMEDIATE", ()).map(drop)
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        let Self { connection, tally, .. } = self;
        if let Some(connection) = connection {
            tally.write(connection)?;
        }
        self.run("COMMIT", ())?;
        // What is durable must not seem to have failed.
        if self.untidied >= tidier::LOOK_AFTER {
            self.untidied = 0;
            let _ = self.tidy();
        }
        Ok(())
    }

    fn rollback(&mut self) {
        // What was taken as seen may have been undone as well.
        self.seen = UNSEEN;
        self.tally.forget();
        // A connection that cannot even undo is closed, which undoes, as is one to a hub that somebody
        // has deleted; the next call opens another.
        if let Some(connection) = &self.connection
            && ((!connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err())
                || self.place.is_cleared(connection))
        {
            self.connection = None;
        }
    }

    fn create_instance(&mut self, new: &NewInstance) -> Result<Accepted, Trouble> {
        let mut started = new.started.clone();
        let created = new.at.as_microseconds();
        let name = self.name(&started)?;
        let retention = started.retention.map(rows::retention_number);
        let values = params![started.instance.as_str(), started.execution.as_str(), created, name, retention];
        let key = if self.run(tables::INSERT_INSTANCE, values)? == 1 {
            started.generation = 0;
            self.connection()?.last_insert_rowid()
        } else {
            let (key, generation) = self.replace(new, name)?;
            started.generation = generation;
            key
        };
        for (tag, value) in &started.tags {
            self.run(tables::INSERT_TAG, params![tag, value, created, key])?;
        }
        self.tally.count(RuntimeStatus::Pending, name, 1);
        let event = HistoryEvent::new(new.at, EventKind::ExecutionStarted(Box::new(started)));
        self.run(tables::PUT_START, params![key, rows::event_text(&event)?])?;
        Accepted::new(key, name, event)
    }

    fn add_message(&mut self, message: &WrittenMessage) -> Result<Added, Trouble> {
        let WrittenMessage { message, event } = message;
        let taken = self.find(&message.instance)?.ok_or_else(|| Trouble::new(ProviderErrorKind::NotFound))?;
        if taken.status.is_terminal() {
            return Err(Trouble::new(ProviderErrorKind::Ended));
        }
        let execution = message.execution.as_ref().map(|execution| execution.as_str());
        let visible_at = message.visible_at.map(Timestamp::as_microseconds);
        let values = params![taken.key, taken.generation, execution, visible_at, event];
        self.run(tables::INSERT_MESSAGE, values)?;
        Ok(Added { key: taken.key, row: self.connection()?.last_insert_rowid() })
    }

    fn reopen(&mut self, id: &InstanceId) -> Result<Option<StoredHead>, Trouble> {
        self.reopen_failed(id)
    }

    fn checkpoint(&mut self, episode: &WrittenEpisode<'_>) -> Result<Kept, Trouble> {
        if let Some(row) = episode.rewrites {
            self.run(tables::REWRITE_HISTORY, params![row, episode.events, episode.cancelled])?;
            let purge_at = self.move_on(episode, row)?;
            self.remove_messages(episode.consumed)?;
            return Ok(Kept { last: row, purge_at });
        }
        let WrittenEpisode { key, sequence, .. } = *episode;
        if episode.replaces {
            self.forget_history(episode.last)?;
            self.run(tables::SET_EXECUTION, params![key, episode.execution.as_str()])?;
        }
        if let Some(started) = episode.started {
            self.run(tables::PUT_START, params![key, started])?;
            self.tag_again(key, started)?;
        }
        let previous = episode.last.filter(|_| !episode.replaces);
        let values = params![previous, key, sequence, episode.events, episode.cancelled];
        self.run(tables::APPEND_HISTORY, values)?;
        let last = self.connection()?.last_insert_rowid();
        let purge_at = self.move_on(episode, last)?;
        self.remove_messages(episode.consumed)?;
        Ok(Kept { last, purge_at })
    }

    fn purge(&mut self, id: &InstanceId) -> Result<bool, Trouble> {
        self.remove_by_id(id)
    }

    fn purge_found(&mut self, places: &[place::Place]) -> Result<u64, Trouble> {
        self.remove_found(places)
    }

    fn forget(&mut self, id: &InstanceId) -> Result<(), Trouble> {
        self.remove_live(id)
    }

    fn purge_due(&mut self, now: Timestamp, most: usize) -> Result<u64, Trouble> {
        self.remove_due(now, most)
    }

    fn next_purge(&mut self) -> Result<Option<Timestamp>, Trouble> {
        self.first_due()
    }

    fn begin_reading(&mut self) {
        if let Some(connection) = &self.connection {
            // Without it, each read is a transaction of its own.
            let _ = connection.prepare_cached("BEGIN").and_then(|mut begin| begin.execute(()));
        }
    }

    fn end_reading(&mut self) {
        if let Some(connection) = self.connection.take_if(|connection| !connection.is_autocommit()) {
            let ended = connection.prepare_cached("COMMIT").and_then(|mut end| end.execute(()));
            // One that cannot end it is closed, which does.
            self.connection = ended.is_ok().then_some(connection);
        }
    }

    fn remove_messages(&mut self, rows: &[Row]) -> Result<(), Trouble> {
        for row in rows {
            self.run(tables::DELETE_MESSAGE, [row])?;
        }
        Ok(())
    }

    fn state(&mut self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
        if self.connection.is_none() {
            // Whoever only asks makes no hub.
            self.connection = self.place.open_existing()?;
            self.seen = UNSEEN;
        }
        self.connection.as_ref().map_or(Ok(None), |connection| reading::state(connection, id))
    }

    fn live(&mut self) -> Result<Vec<StoredHead>, Trouble> {
        reading::live(self.connection()?)
    }

    fn started(&mut self, key: Key) -> Result<HistoryEvent, Trouble> {
        reading::started(self.connection()?, key)
    }

    fn episode(&mut self, row: Row) -> Result<StoredEpisode, Trouble> {
        reading::episode(self.connection()?, row)
    }

    fn messages(&mut self) -> Result<Vec<StoredMessage>, Trouble> {
        reading::messages(self.connection()?, tables::READ_MESSAGES, &[])
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn has_changed(&mut self) -> Result<bool, Trouble> {
        let was_there = self.connection.is_some();
        if was_there {
            if self.version()? == self.seen {
                return Ok(false);
            }
            if self.connection.take_if(|connection| self.place.is_cleared(connection)).is_some() {
                self.tally.forget();
            }
        }
        if self.connection.is_none() {
            // Whoever only waits makes no hub.
            self.connection = self.place.open_existing()?;
            self.seen = UNSEEN;
        }
        Ok(was_there || self.connection.is_some())
    }

    fn mark_seen(&mut self) -> Result<(), Trouble> {
        if self.connection.is_some() {
            self.seen = self.version()?;
        }
        Ok(())
    }

    fn announce(&mut self, key: Key, message: Option<Row>) -> Result<(), Trouble> {
        self.run(tables::INSERT_ARRIVAL, params![key, message]).map(drop)
    }

    fn take_arrivals(&mut self) -> Result<Vec<Arrival>, Trouble> {
        self.take_announced()
    }

    fn hold(&mut self, since: Timestamp) -> Result<(), Trouble> {
        if self.hold.is_none() {
            self.connection()?;
            self.hold = Some(Hold::take(&self.place.beside(".lock"), since)?);
        }
        Ok(())
    }

    fn release(&mut self) {
        self.hold = None;
    }

    fn create_hub(&mut self) -> Result<(), Trouble> {
        self.connection().map(drop)
    }

    fn delete_hub(&mut self) -> Result<(), Trouble> {
        let Some(connection) = self.place.open_existing()? else { return Ok(()) };
        self.connection = None;
        self.tidier = None;
        self.tally.forget();
        let lock = self.place.beside(".lock");
        let hold = Hold::take(&lock, Timestamp::UNIX_EPOCH)?;
        Place::clear(&connection)?;
        drop(connection);
        self.place.remove()?;
        let removed = fs::remove_file(lock);
        drop(hold);
        Ok(removed?)
    }
}
