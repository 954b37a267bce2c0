//! The embedded provider: a hub in one SQLite file, or in memory, within the user's own process.
//!
//! Memory is the queue, the file is the recovery. All work is handed out from memory
//! (`queue.rs`); one thread writes what must survive, everything that waits in one transaction
//! (`writer.rs`); after a crash one scan of the live instances rebuilds the queue. Must not know orchestrations:
//! it stores events it does not interpret.
//!
//! The first process that begins to work a file works it alone; every other may open it as a
//! client, and what it writes is noticed within 100 ms. Begin with [`EmbeddedProvider`]; the
//! contract it keeps is [`crate::provider`].

mod admin;
mod arrivals;
mod checkpoint;
mod commits;
mod database;
mod entities;
mod error;
mod file;
#[cfg(test)]
mod full_disk;
mod hold;
mod hub;
mod instances;
mod memory;
mod memory_admin;
mod memory_reading;
mod operation;
mod place;
mod queue;
mod reading;
mod recovery;
mod removal;
mod rows;
mod search;
mod sending;
mod settle;
mod shared;
mod standing;
mod store;
mod tables;
mod tally;
mod tidier;
mod timers;
mod waiters;
mod work;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::oneshot;

pub use self::commits::Commits;
use self::{
    database::Place,
    error::Trouble,
    file::FileStore,
    memory::MemoryStore,
    operation::{Operation, Reply, Write},
    reading::FileReader,
    shared::Shared,
    store::{Reader, Store},
    writer::Writer,
};
use crate::{
    clock::{Clock, SystemClock},
    provider::{Provider, ProviderError, ProviderErrorKind},
};

/// What a power cut may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing that was acknowledged: each commit waits for the disk.
    #[default]
    Full,
    /// The newest commits, never the file's consistency: the disk is waited for now and then. A
    /// crash of the process alone still takes nothing.
    Relaxed,
}

/// How a hub file is opened.
#[derive(Clone)]
pub struct Options {
    /// What a power cut may take; nothing, unless told otherwise.
    pub durability: Durability,
    /// The clock by which timers fall due; the machine's, unless told otherwise.
    pub clock: Arc<dyn Clock>,
    /// How long after its end an instance is purged whose start said nothing of it; never, unless told
    /// otherwise. Applies to what ends while this provider works the hub.
    pub retention: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::default(), clock: Arc::new(SystemClock), retention: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("durability", &self.durability)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

/// A task hub in a file or in memory (R2:HUB-1, HUB-4).
///
/// Needs no runtime: its two threads are its own. When it is dropped everything that was asked for
/// is written first; what is out then comes again with the next worker.
pub struct EmbeddedProvider {
    shared: Arc<Shared>,
    operations: mpsc::Sender<Operation>,
    threads: Vec<JoinHandle<()>>,
    subject: String,
}

impl EmbeddedProvider {
    /// Opens the hub in the file at `path`. When there is none, nothing is made before it is needed:
    /// by [`create`](crate::provider::HubStore::create), by the first start or by the first worker.
    ///
    /// # Errors
    /// `BadAddress` when no file can be there or the file is another application's; `UnknownFormat`
    /// when a newer version wrote it; `Corrupt` when it is no database. The file is left as it is.
    pub fn open(path: &Path, options: Options) -> Result<Self, ProviderError> {
        let failed = |trouble: Trouble| trouble.on("open", path.display().to_string());
        let place = Arc::new(Place::new(path, options.durability).map_err(failed)?);
        let store = Box::new(FileStore::new(place.clone(), options.retention));
        let subject = place.path().display().to_string();
        Self::start(store, Box::new(FileReader(place)), options.clock, subject)
    }

    /// A hub in memory, gone with the provider.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        Self::in_memory_with(Options { clock, ..Options::default() })
    }

    /// A hub in memory with other than the usual options; a durability it has none.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn in_memory_with(options: Options) -> Result<Self, ProviderError> {
        let store = MemoryStore::new(options.retention);
        Self::start(Box::new(store.clone()), Box::new(store), options.clock, "memory:".to_owned())
    }

    fn start(
        store: Box<dyn Store>,
        reader: Box<dyn Reader>,
        clock: Arc<dyn Clock>,
        subject: String,
    ) -> Result<Self, ProviderError> {
        let shared = Arc::new(Shared::new(clock, reader));
        let (operations, receiver) = mpsc::channel();
        let writer = Writer::new(shared.clone(), store, receiver, subject.clone());
        let alarm = shared.clone();
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(run)
                .map_err(|error| Trouble::from(error).on("open", subject.as_str()))
        };
        let mut threads = vec![spawn("durable-writer", Box::new(move || writer.run()))?];
        let purge = operations.clone();
        // A writer that has stopped purges nothing more.
        let purge = move || drop(purge.send(Operation::PurgeDue));
        threads.push(spawn("durable-alarm", Box::new(move || alarm.run_alarm(purge)))?);
        Ok(Self { shared, operations, threads, subject })
    }

    /// What was committed since this provider was opened.
    pub fn commits(&self) -> Commits {
        self.shared.commits.so_far()
    }

    /// Has the writer do something, and waits for the outcome.
    async fn ask<T>(&self, operation: impl FnOnce(Reply<T>) -> Operation) -> Result<T, ProviderError> {
        let (reply, outcome) = oneshot::channel();
        if self.operations.send(operation(reply)).is_err() {
            return Err(self.closed());
        }
        outcome.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Has the writer write something that [`Shared::expect_write`] has counted, and waits until it
    /// is durable.
    async fn write<T>(&self, write: impl FnOnce(Reply<T>) -> Write) -> Result<T, ProviderError> {
        self.ask(|reply| Operation::Write(write(reply))).await
    }

    /// Has the writer look again at what there is to do.
    fn wake_writer(&self) {
        // A writer that has stopped has nothing to do.
        let _ = self.operations.send(Operation::Wake);
    }

    fn closed(&self) -> ProviderError {
        ProviderError::new(ProviderErrorKind::Closed, "use", self.subject.as_str())
    }
}

impl Provider for EmbeddedProvider {
    fn clock(&self) -> Arc<dyn Clock> {
        self.shared.clock.clone()
    }
}

impl fmt::Debug for EmbeddedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedProvider").field(&self.subject).finish()
    }
}

impl Drop for EmbeddedProvider {
    fn drop(&mut self) {
        // The writer stops after everything that was asked for before, and closes the queue, which
        // stops the alarm.
        let _ = self.operations.send(Operation::Stop);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so, and there is nothing left to stop.
            let _ = thread.join();
        }
    }
}
