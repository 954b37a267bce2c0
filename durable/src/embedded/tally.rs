//! How many instances of each name stand where, counted along with every change.
//!
//! The changes of one transaction are written together, since many of them take each other back. Must
//! not know why an instance changes. Begin with [`Tally::count`].

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    error::Trouble,
    rows::{self, NameNumber},
    tables,
};
use crate::model::RuntimeStatus;

/// What the transaction under way changes of the counts, and the numbers of names.
#[derive(Debug, Default)]
pub(super) struct Tally {
    changes: BTreeMap<(i64, NameNumber), i64>,
    names: HashMap<String, NameNumber>,
}

impl Tally {
    /// The number of a name, which is given one when it has none.
    pub(super) fn name(&mut self, connection: &Connection, name: &str) -> Result<NameNumber, Trouble> {
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        let found =
            connection.prepare_cached(tables::FIND_NAME)?.query_row([name], |row| row.get(0)).optional()?;
        let number = match found {
            Some(number) => number,
            None => {
                connection.prepare_cached(tables::INSERT_NAME)?.execute([name])?;
                NameNumber::try_from(connection.last_insert_rowid())
                    .map_err(|error| Trouble::corrupt("the names have no numbers left").caused_by(error))?
            }
        };
        self.names.insert(name.to_owned(), number);
        Ok(number)
    }

    /// Counts `change` instances more at `status`, or fewer.
    pub(super) fn count(&mut self, status: RuntimeStatus, name: NameNumber, change: i64) {
        *self.changes.entry((rows::status_number(status), name)).or_default() += change;
    }

    /// Writes the changes, within the transaction.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), Trouble> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let mut count = connection.prepare_cached(tables::COUNT)?;
        for ((status, name), change) in mem::take(&mut self.changes) {
            if change != 0 {
                count.execute(params![status, name, change])?;
            }
        }
        Ok(())
    }

    /// Forgets what has been undone: changes, and the numbers of names that were new.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
