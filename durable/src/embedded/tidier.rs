//! Moves pages from a hub's log to its file, beside the writer, who would have to stop for it.
//!
//! The writer does it as well when the log has become long all the same: only then may the log begin anew.
//! Must not know what the pages hold. Begin with [`Tidier::tidy`].

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use super::{database::Place, error::Trouble};

/// How many pages of the log must wait to be moved: each time costs two waits for the disk.
const WORTHWHILE: i64 = 2_048;

/// After how many statements it is worthwhile to look how many wait: to look costs about as much as one.
pub(super) const LOOK_AFTER: u32 = 256;

/// A thread that moves pages when it is told to, and ends with this.
#[derive(Debug)]
pub(super) struct Tidier {
    wakes: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tidier {
    /// For the hub at `place`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(place: Arc<Place>) -> Result<Self, Trouble> {
        let (wakes, woken) = sync_channel(1);
        let run = move || run(&place, &woken);
        let thread = thread::Builder::new().name("durable-tidier".to_owned()).spawn(run)?;
        Ok(Self { wakes: Some(wakes), thread: Some(thread) })
    }

    /// Has pages moved if enough of them wait, as `connection` knows.
    pub(super) fn tidy(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut count = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
        let (log, moved): (i64, i64) = count.query_row((), |row| Ok((row.get(1)?, row.get(2)?)))?;
        if log - moved >= WORTHWHILE
            && let Some(wakes) = &self.wakes
        {
            // Who has been told before and has not begun will move these as well.
            let _ = wakes.try_send(());
        }
        Ok(())
    }
}

impl Drop for Tidier {
    fn drop(&mut self) {
        drop(self.wakes.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so, and there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

fn run(place: &Place, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // Opened each time: one that is kept would keep a hub that somebody deletes.
        let moved = place.open_existing().and_then(|connection| {
            let Some(connection) = connection else { return Ok(()) };
            Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?)
        });
        if let Err(trouble) = moved {
            // The writer does it when the log becomes long, and meets the same.
            tracing::debug!(error = %trouble.on("tidy", place.path().display().to_string()), "it is left to the writer");
        }
    }
}
