//! Opening a hub file: is it ours, is it of a format we know, how durable is it.
//!
//! Nothing is changed in a file before it is known to be a hub. Must not know what the tables mean.
//! Begin with [`Place`].

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{Durability, error::Trouble, tables};
use crate::provider::ProviderErrorKind;

/// How long a call waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections for reading that are kept open.
const KEPT_READERS: usize = 4;

/// Where a hub file is, and how it is opened.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    durability: Durability,
    readers: Mutex<Readers>,
}

/// Connections for reading that nobody uses now.
#[derive(Debug, Default)]
struct Readers {
    kept: Vec<Connection>,
    /// How often the hub was removed: a connection made before reads a file that nobody sees.
    removals: u64,
}

/// What stands in a file that can be opened.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Hub,
}

impl Place {
    /// Checks that a hub is or could be at `path`. Changes nothing.
    pub(super) fn new(path: &Path, durability: Durability) -> Result<Self, Trouble> {
        if path.file_name().is_none() || path.is_dir() {
            return Err(bad_address("a hub is a file: name one, like `hub.db`"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder
            && !folder.is_dir()
        {
            return Err(bad_address(&format!(
                "the folder `{}` does not exist; make it first",
                folder.display()
            )));
        }
        let place = Self { path: path.to_owned(), durability, readers: Mutex::default() };
        place.open_existing()?;
        Ok(place)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name with something behind it: `hub.db.lock`.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// A connection to the hub, which is made when there is none.
    pub(super) fn open_or_create(&self) -> Result<Connection, Trouble> {
        if let Some(connection) = self.open_existing()? {
            return Ok(connection);
        }
        let connection = self.connect(OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        self.prepare(&connection)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        // Somebody else may have made it meanwhile.
        if self.inspect(&connection)? == Found::Nothing {
            connection.execute_batch(tables::CREATE)?;
            connection.pragma_update(None, "application_id", tables::APPLICATION)?;
            connection.pragma_update(None, "user_version", tables::FORMAT)?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(connection)
    }

    /// A connection to the hub; `None` when it has not been made.
    pub(super) fn open_existing(&self) -> Result<Option<Connection>, Trouble> {
        let is_empty = fs::metadata(&self.path).map(|file| file.len() == 0);
        match is_empty {
            // A file of no length becomes a database with the first write, and is none yet.
            Ok(true) if fs::metadata(self.beside("-wal")).is_err() => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let connection = self.connect(OpenFlags::empty())?;
        match self.inspect(&connection)? {
            Found::Nothing => Ok(None),
            Found::Hub => {
                self.prepare(&connection)?;
                Ok(Some(connection))
            }
        }
    }

    /// Lets `read` use a connection of its own, all of it in one snapshot; `None` without a hub.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&Connection) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        let (kept, removals) = {
            let mut readers = self.readers();
            (readers.kept.pop(), readers.removals)
        };
        if let Some(kept) = kept
            && let Some(answer) = self.read_on(kept, removals, &read)?
        {
            return Ok(Some(answer));
        }
        self.open_existing()?.map_or(Ok(None), |connection| self.read_on(connection, removals, &read))
    }

    /// `None` when the hub behind `connection` has been deleted.
    fn read_on<T>(
        &self,
        connection: Connection,
        removals: u64,
        read: impl Fn(&Connection) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        let in_snapshot = || {
            connection.prepare_cached("BEGIN")?.execute(())?;
            let answer = read(&connection)?;
            connection.prepare_cached("COMMIT")?.execute(())?;
            Ok(answer)
        };
        match in_snapshot() {
            Ok(answer) => {
                let mut readers = self.readers();
                if readers.kept.len() < KEPT_READERS && readers.removals == removals {
                    readers.kept.push(connection);
                }
                Ok(Some(answer))
            }
            // After an error the connection is dropped, and its transaction with it.
            Err(_) if self.is_cleared(&connection) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Leaves nothing in the hub, for those in other processes who have it open.
    pub(super) fn clear(connection: &Connection) -> Result<(), Trouble> {
        let cleared = connection.execute_batch(tables::CLEAR).map_err(Trouble::from);
        match cleared {
            // There must be no need of room to make room.
            Err(trouble) if trouble.kind == ProviderErrorKind::Full => Ok(()),
            cleared => cleared,
        }
    }

    /// Whether the hub behind `connection` has been deleted.
    pub(super) fn is_cleared(&self, connection: &Connection) -> bool {
        matches!(self.inspect(connection), Ok(Found::Nothing))
    }

    /// Removes the file and what belongs to it. No connection for writing may be open.
    pub(super) fn remove(&self) -> Result<(), Trouble> {
        drop(std::mem::take(&mut self.readers().kept));
        for suffix in ["", "-wal", "-shm"] {
            match fs::remove_file(self.beside(suffix)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        // Whoever began to read before this may still have had the file.
        let kept = {
            let mut readers = self.readers();
            readers.removals += 1;
            std::mem::take(&mut readers.kept)
        };
        drop(kept);
        Ok(())
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, more: OpenFlags) -> Result<Connection, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.why_not_opened(error))?;
        connection.busy_timeout(PATIENCE)?;
        // Otherwise a statement is planned again with each value: the plan is meant to be one for all.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    /// SQLite says only that it cannot open a file; the operating system knows why.
    fn why_not_opened(&self, error: rusqlite::Error) -> Trouble {
        if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
            return error.into();
        }
        match OpenOptions::new().append(true).create(true).open(&self.path) {
            Err(reason) => reason.into(),
            Ok(_) => error.into(),
        }
    }

    fn inspect(&self, connection: &Connection) -> Result<Found, Trouble> {
        let number = |pragma| connection.query_row(pragma, (), |row| row.get::<_, i64>(0));
        let application = number("PRAGMA application_id")?;
        let format = number("PRAGMA user_version")?;
        let tables = number("SELECT count(*) FROM sqlite_master")?;
        if application == 0 && format == 0 && tables == 0 {
            return Ok(Found::Nothing);
        }
        if application != i64::from(tables::APPLICATION) {
            return Err(bad_address(&format!(
                "`{}` is the database of another application; name another file",
                self.path.display()
            )));
        }
        match u32::try_from(format) {
            Ok(tables::FORMAT) => Ok(Found::Hub),
            Ok(found) if found > 0 => {
                Err(Trouble::new(ProviderErrorKind::UnknownFormat { found, known: tables::FORMAT }))
            }
            _ => Err(Trouble::corrupt(format!("the file's format number is {format}"))),
        }
    }

    fn prepare(&self, connection: &Connection) -> Result<(), Trouble> {
        let synchronous = match self.durability {
            Durability::Full => "FULL",
            Durability::Relaxed => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // The cache in KiB, negative by SQLite's convention: it holds what is busy, and no more.
        connection.pragma_update(None, "cache_size", -8_192)?;
        // Pages go from the log to the file in `tidier.rs`, and after 64 MiB here: no stops, and a log still
        // quickly read.
        connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
        Ok(())
    }
}

fn bad_address(expected: &str) -> Trouble {
    Trouble::new(ProviderErrorKind::BadAddress(expected.to_owned()))
}

#[cfg(test)]
mod tests {
    use rusqlite::{StatementStatus, params};

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_values_it_gets() {
        let path = std::env::temp_dir().join(format!("durable-{}-planned.db", std::process::id()));
        let place = Place::new(&path, Durability::Relaxed).unwrap();
        place.remove().unwrap();
        let connection = place.open_or_create().unwrap();
        let planned_again = |sql, values: [&[&dyn rusqlite::ToSql]; 2]| {
            let mut statement = connection.prepare(sql).unwrap();
            for values in values {
                statement.query(values).unwrap().next().unwrap();
            }
            statement.get_status(StatementStatus::RePrepare)
        };
        assert_eq!(planned_again(tables::READ_STATE, [params!["a"], params!["b"]]), 0);
        let walks = [params![3, 1, 0, 0, i64::MAX, 101], params![4, 2, 5, 6, 7, 26]];
        assert_eq!(planned_again(tables::WALK_SHELF, walks), 0);
        drop(connection);
        place.remove().unwrap();
    }

    #[test]
    fn a_read_under_way_while_the_hub_is_removed_leaves_no_connection_to_what_was() {
        let path = std::env::temp_dir().join(format!("durable-{}-removed.db", std::process::id()));
        let place = Place::new(&path, Durability::Relaxed).unwrap();
        place.remove().unwrap();
        drop(place.open_or_create().unwrap());
        place.read(|_| place.remove()).unwrap();
        assert!(place.read(|_| Ok(())).unwrap().is_none(), "there is no hub");
    }
}
