//! One fact of a history.
//!
//! The names are those of the Durable Task Framework, since every tool and reader of the field
//! knows them (R2:HUB-22). The set is closed on purpose: replay names every variant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ExecutionStarted, SubOrchestration};
use crate::model::{
    EventName, Failure, FunctionName, FunctionVersion, InstanceId, Payload, RuntimeStatus, Timestamp,
};

/// The number of the engine behaviour that new executions are begun under, recorded in their
/// `ExecutionStarted`. Raised by a change that would alter what an old history means; the old
/// behaviour then stays for histories with the old number.
pub const BEHAVIOUR: u32 = 1;

/// The number of an action within its execution: 0, 1, 2, .. in the order in which the
/// orchestrator asked (R3:DIAG-35). Events that are no action have none, shown as -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(i32);

impl EventId {
    /// What stands on an event that is no action.
    pub const NONE: Self = Self(-1);
    /// The id of an execution's first action.
    pub const FIRST: Self = Self(0);

    /// The id as a number, -1 for none.
    pub const fn as_i32(self) -> i32 {
        self.0
    }

    /// The id with that number.
    pub const fn from_i32(number: i32) -> Self {
        Self(number)
    }

    /// The id of the action after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One fact in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// The action's number, for events that record an action.
    pub id: EventId,
    /// When it was made, by the clock of who made it.
    pub timestamp: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The execution was asked for; the first message of every execution.
    ExecutionStarted(Box<ExecutionStarted>),
    /// The execution ended.
    ExecutionCompleted {
        /// `Completed`, `Failed` or `Terminated`.
        status: RuntimeStatus,
        /// What it returned.
        result: Payload,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The execution ended, and another of the same instance takes its place (R2:ETE-4). Its history goes
    /// with it: the event is seen by whoever looks at the episode, and never stored.
    ContinueAsNew {
        /// The input of the next execution.
        input: Payload,
    },
    /// Somebody ended it from outside.
    ExecutionTerminated {
        /// Why.
        reason: String,
        /// Whether the sub-orchestrations it waits for are ended with it (DECISIONS 11).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        recursive: bool,
    },
    /// Somebody halted it from outside.
    ExecutionSuspended {
        /// Why.
        reason: String,
    },
    /// Somebody let it go on.
    ExecutionResumed {
        /// Why.
        reason: String,
    },
    /// Somebody lets it try again what failed (DECISIONS 19).
    ExecutionRewound {
        /// Why.
        reason: String,
    },
    /// An episode began; its timestamp is the time the orchestrator sees (R3:DIAG-36).
    OrchestratorStarted,
    /// An episode ended.
    OrchestratorCompleted {
        /// What user code had observed by then (replay rule 5), where the store keeps it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<u64>,
    },
    /// An activity was called.
    TaskScheduled {
        /// Which one.
        name: FunctionName,
        /// Which version of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<FunctionVersion>,
        /// With what.
        input: Payload,
    },
    /// An activity returned.
    TaskCompleted {
        /// The id of the [`TaskScheduled`](Self::TaskScheduled) it answers.
        task: EventId,
        /// What it returned.
        result: Payload,
    },
    /// An activity failed.
    TaskFailed {
        /// The id of the [`TaskScheduled`](Self::TaskScheduled) it answers.
        task: EventId,
        /// Why.
        failure: Failure,
    },
    /// Another orchestration was begun.
    SubOrchestrationInstanceCreated(Box<SubOrchestration>),
    /// A sub-orchestration completed.
    SubOrchestrationInstanceCompleted {
        /// The id of the [`SubOrchestrationInstanceCreated`](Self::SubOrchestrationInstanceCreated) it answers.
        task: EventId,
        /// What it returned.
        result: Payload,
    },
    /// A sub-orchestration failed, was terminated, or could not be begun.
    SubOrchestrationInstanceFailed {
        /// The id of the [`SubOrchestrationInstanceCreated`](Self::SubOrchestrationInstanceCreated) it answers.
        task: EventId,
        /// Why.
        failure: Failure,
    },
    /// A durable timer was set.
    TimerCreated {
        /// When it is due.
        fire_at: Timestamp,
    },
    /// A durable timer is due.
    TimerFired {
        /// The id of the [`TimerCreated`](Self::TimerCreated) it answers.
        timer: EventId,
        /// When it was due.
        fire_at: Timestamp,
    },
    /// An event was sent to another instance.
    EventSent {
        /// Whom to.
        instance: InstanceId,
        /// The event's name.
        name: EventName,
        /// Its data.
        input: Payload,
    },
    /// An external event came in.
    EventRaised {
        /// The event's name.
        name: EventName,
        /// Its data.
        input: Payload,
    },
    /// Something came in that only causes an episode.
    GenericEvent {
        /// Why.
        data: String,
    },
}

impl HistoryEvent {
    /// An event that records no action: what came in, and an episode's brackets.
    pub fn new(timestamp: Timestamp, kind: EventKind) -> Self {
        Self { id: EventId::NONE, timestamp, kind }
    }

    /// The event that records action `id`.
    pub fn action(id: EventId, timestamp: Timestamp, kind: EventKind) -> Self {
        Self { id, timestamp, kind }
    }

    /// Whether the event came in as a message, and was played to the orchestrator (R3:DIAG-34).
    pub fn is_played(&self) -> bool {
        self.kind.is_message()
    }
}

impl EventKind {
    /// The event's name as the field writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExecutionStarted(_) => "ExecutionStarted",
            Self::ExecutionCompleted { .. } => "ExecutionCompleted",
            Self::ContinueAsNew { .. } => "ContinueAsNew",
            Self::ExecutionTerminated { .. } => "ExecutionTerminated",
            Self::ExecutionSuspended { .. } => "ExecutionSuspended",
            Self::ExecutionResumed { .. } => "ExecutionResumed",
            Self::ExecutionRewound { .. } => "ExecutionRewound",
            Self::OrchestratorStarted => "OrchestratorStarted",
            Self::OrchestratorCompleted { .. } => "OrchestratorCompleted",
            Self::TaskScheduled { .. } => "TaskScheduled",
            Self::TaskCompleted { .. } => "TaskCompleted",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::SubOrchestrationInstanceCreated(_) => "SubOrchestrationInstanceCreated",
            Self::SubOrchestrationInstanceCompleted { .. } => "SubOrchestrationInstanceCompleted",
            Self::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceFailed",
            Self::TimerCreated { .. } => "TimerCreated",
            Self::TimerFired { .. } => "TimerFired",
            Self::EventSent { .. } => "EventSent",
            Self::EventRaised { .. } => "EventRaised",
            Self::GenericEvent { .. } => "GenericEvent",
        }
    }

    /// Whether such an event comes in as a message. The others are made by the engine itself: an
    /// episode's brackets, and one for each action.
    pub const fn is_message(&self) -> bool {
        match self {
            Self::ExecutionStarted(_)
            | Self::ExecutionTerminated { .. }
            | Self::ExecutionSuspended { .. }
            | Self::ExecutionResumed { .. }
            | Self::ExecutionRewound { .. }
            | Self::TaskCompleted { .. }
            | Self::TaskFailed { .. }
            | Self::SubOrchestrationInstanceCompleted { .. }
            | Self::SubOrchestrationInstanceFailed { .. }
            | Self::TimerFired { .. }
            | Self::EventRaised { .. }
            | Self::GenericEvent { .. } => true,
            Self::ExecutionCompleted { .. }
            | Self::ContinueAsNew { .. }
            | Self::OrchestratorStarted
            | Self::OrchestratorCompleted { .. }
            | Self::TaskScheduled { .. }
            | Self::SubOrchestrationInstanceCreated(_)
            | Self::TimerCreated { .. }
            | Self::EventSent { .. } => false,
        }
    }

    /// What a function was given or gave, where the event holds it.
    pub(super) const fn payload_mut(&mut self) -> Option<&mut Payload> {
        match self {
            Self::ExecutionStarted(started) => Some(&mut started.input),
            Self::SubOrchestrationInstanceCreated(child) => Some(&mut child.input),
            Self::TaskScheduled { input, .. }
            | Self::EventSent { input, .. }
            | Self::EventRaised { input, .. }
            | Self::ContinueAsNew { input } => Some(input),
            Self::ExecutionCompleted { result, .. }
            | Self::TaskCompleted { result, .. }
            | Self::SubOrchestrationInstanceCompleted { result, .. } => Some(result),
            Self::ExecutionTerminated { .. }
            | Self::ExecutionSuspended { .. }
            | Self::ExecutionResumed { .. }
            | Self::OrchestratorStarted
            | Self::OrchestratorCompleted { .. }
            | Self::TaskFailed { .. }
            | Self::SubOrchestrationInstanceFailed { .. }
            | Self::ExecutionRewound { .. }
            | Self::TimerCreated { .. }
            | Self::TimerFired { .. }
            | Self::GenericEvent { .. } => None,
        }
    }

    /// Whether it records an action that something will answer.
    pub fn awaits_answer(&self) -> bool {
        match self {
            Self::TaskScheduled { .. } | Self::TimerCreated { .. } => true,
            Self::SubOrchestrationInstanceCreated(child) => !child.is_detached,
            _ => false,
        }
    }

    /// What an action gives to what it asks for.
    pub fn input(&self) -> Option<&Payload> {
        match self {
            Self::TaskScheduled { input, .. }
            | Self::EventSent { input, .. }
            | Self::ContinueAsNew { input } => Some(input),
            Self::SubOrchestrationInstanceCreated(child) => Some(&child.input),
            _ => None,
        }
    }

    /// The action that such a message answers.
    pub const fn answers(&self) -> Option<EventId> {
        match self {
            Self::TaskCompleted { task, .. }
            | Self::TaskFailed { task, .. }
            | Self::SubOrchestrationInstanceCompleted { task, .. }
            | Self::SubOrchestrationInstanceFailed { task, .. } => Some(*task),
            Self::TimerFired { timer, .. } => Some(*timer),
            Self::ExecutionStarted(_)
            | Self::ExecutionCompleted { .. }
            | Self::ContinueAsNew { .. }
            | Self::ExecutionTerminated { .. }
            | Self::ExecutionSuspended { .. }
            | Self::ExecutionResumed { .. }
            | Self::ExecutionRewound { .. }
            | Self::OrchestratorStarted
            | Self::OrchestratorCompleted { .. }
            | Self::TaskScheduled { .. }
            | Self::SubOrchestrationInstanceCreated(_)
            | Self::TimerCreated { .. }
            | Self::EventSent { .. }
            | Self::EventRaised { .. }
            | Self::GenericEvent { .. } => None,
        }
    }
}
