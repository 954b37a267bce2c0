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
    /// The execution the events belong to. When it is not the one the work item named, the history
    /// is replaced.
    pub execution: ExecutionId,
    /// This checkpoint's name.
    pub tag: CheckpointTag,
    /// The history's new end, bracketed by `OrchestratorStarted` and `OrchestratorCompleted`.
    pub events: Vec<HistoryEvent>,
    /// The `TaskScheduled` events among them for which an activity must run. They may run as soon
    /// as the checkpoint is durable, and not before.
    pub activities: Vec<HistoryEvent>,
    /// Messages to this instance (timers) and to others.
    pub messages: Vec<TaskMessage>,
    /// Timers of this instance that nobody waits for any more. A store may drop them; it need not.
    pub cancelled_timers: Vec<EventId>,
    /// What a query sees from now on.
    pub change: InstanceChange,
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
