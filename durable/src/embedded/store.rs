//! What the writer needs of a place that keeps instances: a file, or nothing but memory.
//!
//! Must not know the queue. [`Store`] is owned by the writer's thread, [`Reader`] is asked by
//! everybody. Begin with [`Store`].

use super::{
    entities::FoundEntities,
    error::Trouble,
    place::{Found, Listed, Place, Position},
    rows::{
        Key, NameNumber, Row, Standing, StoredEpisode, StoredHead, StoredMessage, instance_state, started_of,
    },
};
use crate::{
    history::{ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{ExecutionId, InstanceId, InstanceState, RuntimeStatus, Timestamp},
    provider::{EntityQuery, InstanceChange, InstanceFilter, InstanceQuery, NewInstance, StatusCounts},
};

/// Where instances, histories and messages are kept.
///
/// What `begin` began, `commit` makes durable as a whole and `rollback` undoes as a whole. A method
/// that refuses with `NotFound`, `Ended` or `AlreadyExists` has changed nothing.
pub(super) trait Store: Send {
    fn begin(&mut self) -> Result<(), Trouble>;
    fn commit(&mut self) -> Result<(), Trouble>;
    fn rollback(&mut self);

    /// Accepts a start, or refuses with `AlreadyExists`.
    fn create_instance(&mut self, new: &NewInstance) -> Result<Accepted, Trouble>;
    /// Keeps a message until a checkpoint consumes it, or refuses with `NotFound` or `Ended`.
    fn add_message(&mut self, message: &WrittenMessage) -> Result<Added, Trouble>;
    /// Makes an instance live again that has failed, and gives its head; `None` when it is live. Refuses
    /// with `NotFound`, or with `Ended` when it ended otherwise.
    fn reopen(&mut self, id: &InstanceId) -> Result<Option<StoredHead>, Trouble>;
    /// Keeps one episode.
    fn checkpoint(&mut self, episode: &WrittenEpisode<'_>) -> Result<Kept, Trouble>;
    fn remove_messages(&mut self, rows: &[Row]) -> Result<(), Trouble>;

    /// Removes everything about an instance that has ended, or refuses with `NotEnded`; whether there
    /// was one.
    fn purge(&mut self, id: &InstanceId) -> Result<bool, Trouble>;
    /// Removes those that still stand as they were found; how many.
    fn purge_found(&mut self, places: &[Place]) -> Result<u64, Trouble>;
    /// Removes everything about a live instance; its messages as well are nobody's then.
    fn forget(&mut self, id: &InstanceId) -> Result<(), Trouble>;
    /// Removes up to `most` of those that are kept no longer than until `now`; how many.
    fn purge_due(&mut self, now: Timestamp, most: usize) -> Result<u64, Trouble>;
    /// Until when the next one is kept that is not kept for ever.
    fn next_purge(&mut self) -> Result<Option<Timestamp>, Trouble>;

    /// Lets what is read until [`end_reading`](Self::end_reading) be one transaction, which costs less.
    fn begin_reading(&mut self) {}
    fn end_reading(&mut self) {}
    fn state(&mut self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble>;
    /// All live instances in the order of creation.
    fn live(&mut self) -> Result<Vec<StoredHead>, Trouble>;
    /// How the current execution of an instance was started.
    fn started(&mut self, key: Key) -> Result<HistoryEvent, Trouble>;
    fn episode(&mut self, row: Row) -> Result<StoredEpisode, Trouble>;
    /// All messages in the order of arrival.
    fn messages(&mut self) -> Result<Vec<StoredMessage>, Trouble>;

    /// Whether others than this store may write to the same place.
    fn is_shared(&self) -> bool;
    /// Whether others have written since [`mark_seen`](Self::mark_seen).
    fn has_changed(&mut self) -> Result<bool, Trouble>;
    fn mark_seen(&mut self) -> Result<(), Trouble>;
    /// Tells the worker's process of an instance, or of a message to it.
    fn announce(&mut self, key: Key, message: Option<Row>) -> Result<(), Trouble>;
    /// Takes what others announced.
    fn take_arrivals(&mut self) -> Result<Vec<Arrival>, Trouble>;

    /// Becomes the only one who works the hub, or refuses with `Held`.
    fn hold(&mut self, since: Timestamp) -> Result<(), Trouble>;
    fn release(&mut self);
    fn create_hub(&mut self) -> Result<(), Trouble>;
    fn delete_hub(&mut self) -> Result<(), Trouble>;
}

/// What a store tells anybody.
pub(super) trait Reader: Send + Sync {
    fn state(&self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble>;
    /// How its current execution began.
    fn start(&self, id: &InstanceId) -> Result<ExecutionStarted, Trouble>;
    /// `None` when there is no such instance.
    fn history(&self, id: &InstanceId) -> Result<Option<History>, Trouble>;
    /// A page of instances, in the order of creation, or of ids where that is shorter.
    fn query(&self, query: &InstanceQuery, after: Option<&Position>) -> Result<Listed, Trouble>;
    /// Up to `most` of the ended instances that `filter` fits.
    fn ended(&self, filter: &InstanceFilter, most: usize, after: Option<&Position>)
    -> Result<Found, Trouble>;
    /// A page of entities, behind the id `after`.
    fn entities(&self, query: &EntityQuery, after: Option<&str>) -> Result<FoundEntities, Trouble>;
    /// How many instances stand where.
    fn counts(&self) -> Result<StatusCounts, Trouble>;
    fn hub_exists(&self) -> Result<bool, Trouble>;
}

/// An episode that was kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// The history's new last row.
    pub(super) last: Row,
    /// Until when the instance is kept, if it has ended and is not kept for ever.
    pub(super) purge_at: Option<Timestamp>,
}

/// An instance that was accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) head: StoredHead,
    pub(super) started: HistoryEvent,
    pub(super) state: InstanceState,
}

impl Accepted {
    /// A new instance with the number `key`, started as `started` says.
    pub(super) fn new(key: Key, name: NameNumber, started: HistoryEvent) -> Result<Self, Trouble> {
        let begun = started_of(&started)?;
        let head = StoredHead {
            key,
            id: begun.instance.clone(),
            execution: begun.execution.clone(),
            status: RuntimeStatus::Pending,
            generation: begun.generation,
            last: None,
            sequence: 0,
            open: 0,
            name,
        };
        let standing = Standing {
            status: RuntimeStatus::Pending,
            execution: begun.execution.clone(),
            generation: begun.generation,
            updated: started.timestamp,
            created: started.timestamp,
            custom_status: None,
            output: None,
            failure: None,
        };
        let state = instance_state(&started, standing)?;
        Ok(Self { head, started, state })
    }
}

/// A message that was kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added {
    pub(super) key: Key,
    pub(super) row: Row,
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Sent {
    /// It was kept for its instance.
    Kept(Added),
    /// It began its instance.
    Begun(Box<Accepted>),
    /// It was kept for an entity, which it began.
    Entity(Box<Accepted>, Added),
    /// It was kept for an instance that is live again for its sake.
    Reopened(Box<StoredHead>, Added),
}

/// Something that another process left for the worker.
#[derive(Debug)]
pub(super) enum Arrival {
    Instance { head: StoredHead, started: HistoryEvent },
    Message { key: Key, row: Row, message: TaskMessage },
}

/// A message with its stored form, which whoever sends it makes: not the writer, who is busy.
#[derive(Debug)]
pub(super) struct WrittenMessage {
    pub(super) message: TaskMessage,
    pub(super) event: Vec<u8>,
}

/// One episode in its stored form.
#[derive(Debug)]
pub(super) struct WrittenEpisode<'a> {
    pub(super) key: Key,
    /// Set when a new execution begins, whose history replaces the old one.
    pub(super) replaces: bool,
    pub(super) execution: &'a ExecutionId,
    /// Where the instance stood before.
    pub(super) was: RuntimeStatus,
    pub(super) name: NameNumber,
    /// How the new execution was started, as stored.
    pub(super) started: Option<&'a [u8]>,
    /// The last row of the history so far.
    pub(super) last: Option<Row>,
    /// The only row of the history so far, if the episode takes its place within the same execution.
    pub(super) rewrites: Option<Row>,
    pub(super) sequence: u32,
    pub(super) open: u32,
    pub(super) events: &'a [u8],
    pub(super) cancelled: Option<&'a [u8]>,
    pub(super) change: &'a InstanceChange,
    /// The messages that the episode consumed.
    pub(super) consumed: &'a [Row],
}
