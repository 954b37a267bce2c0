//! Instances as clients see them.

use async_trait::async_trait;

use super::ProviderError;
use crate::{
    history::{ExecutionStarted, History, TaskMessage},
    model::{InstanceId, InstanceState, Timestamp},
};

/// Creating, reading and messaging instances; all that a client needs.
#[async_trait]
pub trait InstanceStore: Send + Sync + 'static {
    /// Accepts a new instance: it is `Pending`, and its first work item brings `ExecutionStarted`.
    /// Of two racing calls with one id exactly one succeeds (DECISIONS 17). Gives back the state
    /// as accepted, with the generation that the store counted.
    ///
    /// # Errors
    /// `AlreadyExists` as [`Reuse`] says.
    async fn create_instance(&self, new: NewInstance) -> Result<InstanceState, ProviderError>;

    /// Delivers a message to an instance that exists and has not ended (DECISIONS 5). `EntityRequested` begins
    /// its entity, if there is none ([`ExecutionStarted::of_entity`]).
    ///
    /// `ExecutionTerminated` is not kept waiting: it ends the rest of an instance that was to begin
    /// later, or was given back with a delay, since there may be nobody who could ever continue it.
    ///
    /// # Errors
    /// `NotFound`, `Ended`.
    async fn send(&self, message: TaskMessage) -> Result<(), ProviderError>;

    /// The instance as it stands.
    ///
    /// # Errors
    /// When the store cannot be read; an unknown instance is `None`.
    async fn read_state(&self, instance: &InstanceId) -> Result<Option<InstanceState>, ProviderError>;

    /// The history of the instance's current execution; empty while it is pending.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when the history cannot be read.
    async fn read_history(&self, instance: &InstanceId) -> Result<History, ProviderError>;

    /// Waits until the instance stands as `until` says, and gives the state it has then.
    ///
    /// # Errors
    /// `NotFound`, also when the instance disappears meanwhile; `Closed`.
    async fn wait(&self, instance: &InstanceId, until: WaitFor) -> Result<InstanceState, ProviderError>;
}

/// A start that a store is asked to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// How the execution begins. The store counts `generation` by itself.
    pub started: ExecutionStarted,
    /// When the start was asked for; the instance's created time.
    pub at: Timestamp,
    /// What to do when the id is taken.
    pub reuse: Reuse,
}

/// What to do when an instance id is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reuse {
    /// An instance that has ended is replaced; a live one is a conflict (DECISIONS 17).
    #[default]
    WhenEnded,
    /// Any instance is a conflict.
    Never,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// The instance has begun: it is no longer `Pending`.
    Start,
    /// The instance has ended.
    End,
}

impl WaitFor {
    /// Whether `state` is what is waited for.
    pub fn is_met_by(self, state: &InstanceState) -> bool {
        match self {
            Self::Start => state.runtime_status != crate::model::RuntimeStatus::Pending,
            Self::End => state.runtime_status.is_terminal(),
        }
    }
}
