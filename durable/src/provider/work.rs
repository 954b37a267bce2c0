//! Work as a worker sees it.

use std::time::Duration;

use async_trait::async_trait;

use super::{Checkpoint, CheckpointTag, ProviderError};
use crate::{
    history::{ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{ExecutionId, FunctionName, InstanceId, Payload},
};

/// Handing out work and taking its results.
///
/// The life of an item: fetched, then renewed as often as needed, then exactly one of checkpointed
/// (or completed) and abandoned, with the item as it was fetched: its messages are what comes again if
/// that fails. An item that is dropped without either comes again once its lock has run out.
#[async_trait]
pub trait WorkStore: Send + Sync + 'static {
    /// Begins to hand out work to this process.
    ///
    /// # Errors
    /// `Held` when the store serves one worker at a time and another has it.
    async fn begin_work(&self) -> Result<(), ProviderError>;

    /// Hands out nothing more and lets waiting fetches return empty. Items that are out may still
    /// be settled; when none is, everything that was settled is durable once this returns.
    async fn end_work(&self);

    /// Returns when everything that was settled before the call is durable, or in the hands of a worker
    /// that began since. A worker that leaves calls it after its last item; it ends nobody's work.
    async fn flush(&self);

    /// Waits for instances with new messages and locks up to `most` of them. Empty only after
    /// [`end_work`](Self::end_work).
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn fetch_orchestrations(&self, most: usize) -> Result<Vec<OrchestrationWorkItem>, ProviderError>;

    /// The history an item continues. Asked for only when the session is not in memory.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read, `LockLost` when the item is no longer ours.
    async fn load_history(&self, item: &OrchestrationWorkItem) -> Result<History, ProviderError>;

    /// How the item's execution began. Asked for only when its history cannot be read.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read either, `LockLost` when the item is no longer ours.
    async fn load_start(&self, item: &OrchestrationWorkItem) -> Result<ExecutionStarted, ProviderError>;

    /// Makes one episode durable, or changes nothing.
    ///
    /// Afterwards the item's messages are gone, the new events are the history's end, every
    /// outgoing message will be delivered and every activity run, and the lock is released. An
    /// instance that has ended takes no more messages.
    ///
    /// # Errors
    /// `LockLost` when another worker took the item: the episode must be thrown away. After any
    /// other error it is unknown whether the checkpoint was made; the item comes again either way.
    async fn checkpoint(
        &self,
        item: OrchestrationWorkItem,
        checkpoint: Checkpoint,
    ) -> Result<(), ProviderError>;

    /// Gives an item back, to be handed out again after `delay`, with one attempt more.
    ///
    /// # Errors
    /// When the store cannot be written; the item then comes again once its lock runs out.
    async fn abandon_orchestration(
        &self,
        item: OrchestrationWorkItem,
        delay: Duration,
    ) -> Result<(), ProviderError>;

    /// Waits for activities to run and locks up to `most` of them. Empty only after
    /// [`end_work`](Self::end_work).
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn fetch_activities(&self, most: usize) -> Result<Vec<ActivityWorkItem>, ProviderError>;

    /// Delivers an activity's result to its orchestration and removes the item, in this order: a
    /// crash between the two runs the activity again (R1:OVR-12).
    ///
    /// # Errors
    /// When the store cannot be written; the item then comes again.
    async fn complete_activity(
        &self,
        item: ActivityWorkItem,
        result: HistoryEvent,
    ) -> Result<(), ProviderError>;

    /// Gives an item back, to be handed out again after `delay`, with one attempt more.
    ///
    /// # Errors
    /// When the store cannot be written; the item then comes again once its lock runs out.
    async fn abandon_activity(&self, item: ActivityWorkItem, delay: Duration) -> Result<(), ProviderError>;

    /// For how long a lock lasts without being renewed; `None` when locks last as long as the process.
    fn lock_duration(&self) -> Option<Duration>;

    /// Keeps a lock for another [`lock_duration`](Self::lock_duration).
    ///
    /// # Errors
    /// `LockLost`.
    async fn renew(&self, lock: LockToken) -> Result<(), ProviderError>;
}

/// The right to settle one work item. A store refuses a token that is not the newest of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockToken(pub u64);

/// An instance with new messages, locked for this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrchestrationWorkItem {
    /// Which instance.
    pub instance: InstanceId,
    /// Its current execution.
    pub execution: ExecutionId,
    /// What happened before.
    pub past: Past,
    /// What is new, in the order of arrival.
    pub messages: Vec<TaskMessage>,
    /// The right to settle it.
    pub lock: LockToken,
    /// How often it was handed out, this time included. A store may forget it with its process.
    pub attempt: u32,
}

/// What a store knows of an instance's past without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// There is none: the execution has not begun.
    Empty,
    /// It ends with this checkpoint, made by this process.
    At(CheckpointTag),
    /// There is one; it must be read.
    Stored,
}

/// An activity to run, locked for this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityWorkItem {
    /// The instance that called it.
    pub instance: InstanceId,
    /// The execution that called it; the answer goes to no other.
    pub execution: ExecutionId,
    /// The `TaskScheduled` event that asked for it.
    pub scheduled: HistoryEvent,
    /// The right to settle it.
    pub lock: LockToken,
    /// How often it was handed out, this time included. A store may forget it with its process.
    pub attempt: u32,
}

impl ActivityWorkItem {
    /// The activity's name and input; `None` when the event does not schedule one.
    pub fn request(&self) -> Option<(&FunctionName, &Payload)> {
        match &self.scheduled.kind {
            crate::history::EventKind::TaskScheduled { name, input, .. } => Some((name, input)),
            _ => None,
        }
    }
}
