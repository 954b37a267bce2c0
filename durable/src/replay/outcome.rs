//! What a session is given and what it gives: options, the end of an episode, the outcome.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{Handle, action::Action};
use crate::{
    history::{EventId, ExecutionStarted},
    model::{EventName, Failure, InstanceId, Payload, RuntimeStatus},
};

/// An orchestrator with its types erased: makes the future of one execution.
pub type Orchestrator =
    Arc<dyn Fn(Handle, Payload) -> BoxFuture<'static, Result<Payload, Failure>> + Send + Sync>;

/// What is called when something other than the history wakes an orchestrator.
pub type ForeignWakeHook = Arc<dyn Fn(&InstanceId) + Send + Sync>;

/// How a session treats its orchestrator.
#[derive(Clone)]
pub struct SessionOptions {
    /// Verify mode: another input on replay is an error, not a warning.
    pub verify: bool,
    /// Whether user code may log while it replays.
    pub log_replays: bool,
    /// The largest payload in bytes that a verb takes and an orchestrator returns.
    pub max_payload: usize,
    /// Called once, from whatever thread, when something other than the history wakes the
    /// orchestrator: no event will come, so somebody must cause an episode.
    pub on_foreign_wake: Option<ForeignWakeHook>,
}

impl SessionOptions {
    /// The default limit of a payload: 1 MiB.
    pub const DEFAULT_MAX_PAYLOAD: usize = 1024 * 1024;
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            verify: false,
            log_replays: false,
            max_payload: Self::DEFAULT_MAX_PAYLOAD,
            on_foreign_wake: None,
        }
    }
}

impl fmt::Debug for SessionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionOptions").field("verify", &self.verify).finish_non_exhaustive()
    }
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The orchestrator returned a value, and nothing it asked for is open.
    Completed(Payload),
    /// The orchestrator failed, or could not be replayed.
    Failed(Failure),
    /// Somebody ended it from outside.
    Terminated(String),
    /// The instance goes on as another execution.
    ContinuedAsNew(Box<NextExecution>),
}

/// The execution that takes the place of one that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextExecution {
    /// How it begins.
    pub started: ExecutionStarted,
    /// The external events that the execution before had got and not observed, in the order of their
    /// arrival (DECISIONS 9).
    pub carried: Vec<(EventName, Payload)>,
}

impl Outcome {
    /// The status an instance has after it.
    pub fn status(&self) -> RuntimeStatus {
        match self {
            Self::Completed(_) => RuntimeStatus::Completed,
            Self::Failed(_) => RuntimeStatus::Failed,
            Self::Terminated(_) => RuntimeStatus::Terminated,
            Self::ContinuedAsNew(_) => RuntimeStatus::Running,
        }
    }
}

/// What an episode came to.
#[derive(Debug)]
pub struct EpisodeEnd {
    /// What the orchestrator asked for, in order. The last one is the end, if it ended.
    pub actions: Vec<Action>,
    /// The timers whose handles were dropped, sorted.
    pub cancelled_timers: Vec<EventId>,
    /// The custom status, if it was set.
    pub custom_status: Option<Payload>,
    /// What user code has observed so far.
    pub digest: u64,
    /// The sub-orchestrations that are to be ended with this one.
    pub ended_children: Vec<InstanceId>,
    /// How the execution ended, if it has.
    pub outcome: Option<Outcome>,
    /// Whether the instance is suspended now.
    pub is_suspended: bool,
}
