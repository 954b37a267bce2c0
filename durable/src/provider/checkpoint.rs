//! Everything one episode changes.

use crate::{
    history::{EventId, HistoryEvent, TaskMessage},
    model::{ExecutionId, Failure, Payload, RuntimeStatus, Timestamp},
};

/// Names one checkpoint of one instance. Chosen by the worker, never chosen twice; a store keeps
/// the newest with the instance for as long as it is open, and gives it back with the next work item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckpointTag(pub u64);

/// Everything one episode changes: saved by one call, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The execution the events belong to: the one that the work item named, or the one that takes its
    /// place.
    pub execution: ExecutionId,
    /// Whether the events are the whole history from now on, instead of its new end.
    pub replaces: bool,
    /// Whether the instance, an entity of which nothing need be kept, may be removed altogether. A store
    /// must not while a message waits for it, sent by this checkpoint included; and it need not.
    pub is_forgettable: bool,
    /// This checkpoint's name.
    pub tag: CheckpointTag,
    /// The history's new end, bracketed by `OrchestratorStarted` and `OrchestratorCompleted`.
    pub events: Vec<HistoryEvent>,
    /// The `TaskScheduled` events among them for which an activity must run. They may run as soon
    /// as the checkpoint is durable, and not before.
    pub activities: Vec<HistoryEvent>,
    /// Activities that executions asked for which ended within the episode, to be continued as new: they
    /// run like `activities`, and nobody hears what they return. A store that keeps open activities with
    /// the history need not run them again after a crash.
    pub orphans: Vec<OrphanedActivity>,
    /// Messages to this instance (timers) and to others. `ExecutionStarted` begins an instance, if there is
    /// none of that id or it has ended; a live one gets it like any message. When an instance ends that has
    /// got such a start and not taken it, it begins anew with it, unless it is its own
    /// ([`is_same_call`](crate::history::ExecutionStarted::is_same_call)): the sender may wait for an answer.
    /// `EntityRequested` begins its entity, if there is none. Any other message to an instance that does not
    /// exist or has ended is dropped.
    pub messages: Vec<TaskMessage>,
    /// Timers of this instance that nobody waits for any more. A store may drop them; it need not.
    pub cancelled_timers: Vec<EventId>,
    /// What a query sees from now on.
    pub change: InstanceChange,
}

/// An activity whose execution is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanedActivity {
    /// The execution that asked for it.
    pub execution: ExecutionId,
    /// Its `TaskScheduled` event.
    pub scheduled: HistoryEvent,
}

/// What a query sees of an instance after a checkpoint. `None` leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceChange {
    /// Where the instance stands now.
    pub status: RuntimeStatus,
    /// What the orchestrator publishes about itself.
    pub custom_status: Option<Payload>,
    /// What it returned.
    pub output: Option<Payload>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When the checkpoint was made.
    pub updated_at: Timestamp,
}
