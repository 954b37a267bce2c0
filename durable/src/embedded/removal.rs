//! Removes instances that have ended from a hub file.
//!
//! Must not know who wants it. Begin with [`FileStore::remove`].

use rusqlite::{OptionalExtension, params};

use super::{
    error::Trouble,
    file::FileStore,
    place::Place,
    rows::{self, Key, Row, Taken},
    tables,
};
use crate::{
    model::{InstanceId, Timestamp},
    provider::ProviderErrorKind,
};

impl FileStore {
    /// Removes the history whose newest row is `last`.
    pub(super) fn forget_history(&mut self, last: Option<Row>) -> Result<(), Trouble> {
        let mut next = last;
        while let Some(row) = next {
            let connection = self.connection()?;
            let previous: Option<Option<Row>> = connection
                .prepare_cached(tables::READ_PREVIOUS)?
                .query_row([row], |columns| columns.get(0))
                .optional()?;
            next = previous.flatten();
            self.run(tables::DELETE_HISTORY_ROW, [row])?;
        }
        Ok(())
    }

    /// Removes an ended instance, or refuses with `NotEnded`; whether there was one.
    pub(super) fn remove_by_id(&mut self, id: &InstanceId) -> Result<bool, Trouble> {
        let Some(taken) = self.find(id)? else { return Ok(false) };
        if taken.is_live() {
            return Err(Trouble::new(ProviderErrorKind::NotEnded));
        }
        self.remove(&taken)?;
        Ok(true)
    }

    /// Removes a live instance.
    pub(super) fn remove_live(&mut self, id: &InstanceId) -> Result<(), Trouble> {
        self.find(id)?.map_or(Ok(()), |taken| self.remove(&taken))
    }

    /// Removes those that still stand as they were found; how many.
    pub(super) fn remove_found(&mut self, places: &[Place]) -> Result<u64, Trouble> {
        let mut removed = 0;
        for Place { at, shelf } in places {
            let is_same = |taken: &Taken| {
                !taken.is_live()
                    && rows::shelf_number(taken.status) == *shelf
                    && taken.created.as_microseconds() == at.created
            };
            // Its id may have been given away meanwhile.
            if let Some(taken) = self.find_place(at.key)?.filter(is_same) {
                self.remove(&taken)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes up to `most` of those that are kept no longer than until `now`; how many.
    pub(super) fn remove_due(&mut self, now: Timestamp, most: usize) -> Result<u64, Trouble> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let due: Vec<Key> = {
            let mut statement = self.connection()?.prepare_cached(tables::DUE_PURGES)?;
            let found = statement.query_map(params![now.as_microseconds(), most], |row| row.get(0))?;
            found.collect::<Result<_, _>>()?
        };
        let mut removed = 0;
        for key in due {
            if let Some(taken) = self.find_place(key)?.filter(|taken| !taken.is_live()) {
                self.remove(&taken)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Until when the next one is kept that is not kept for ever.
    pub(super) fn first_due(&mut self) -> Result<Option<Timestamp>, Trouble> {
        let connection = self.connection()?;
        let first: Option<i64> =
            connection.prepare_cached(tables::NEXT_PURGE)?.query_row((), |row| row.get(0))?;
        Ok(first.map(Timestamp::from_microseconds))
    }

    fn find_place(&mut self, key: Key) -> Result<Option<Taken>, Trouble> {
        let connection = self.connection()?;
        Ok(connection.prepare_cached(tables::FIND_PLACE)?.query_row([key], Taken::read).optional()?)
    }

    fn remove(&mut self, taken: &Taken) -> Result<(), Trouble> {
        self.forget_history(taken.last)?;
        self.run(tables::DELETE_START, [taken.key])?;
        self.run(tables::DELETE_TAGS, [taken.key])?;
        let greatest: Option<Key> =
            self.connection()?.prepare_cached(tables::GREATEST_KEY)?.query_row((), |row| row.get(0))?;
        if greatest == Some(taken.key) {
            // A message that is still stored for it must never meet another instance with its key.
            self.run(tables::DELETE_PLACEHOLDER, ())?;
            self.run(tables::LEAVE_PLACEHOLDER, [taken.key])?;
        } else {
            self.run(tables::DELETE_INSTANCE, [taken.key])?;
        }
        self.tally.count(taken.status, taken.name, -1);
        Ok(())
    }
}
