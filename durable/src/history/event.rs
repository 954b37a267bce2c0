//! One fact of a history.
//!
//! The names are those of the Durable Task Framework, since every tool and reader of the field
//! knows them (R2:HUB-22). The set is closed on purpose: replay names every variant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EntityRequest, ExecutionStarted, SubOrchestration};
use crate::model::{
    Attempt, EntityId, EventName, Failure, FunctionName, FunctionVersion, InstanceId, OperationName, Payload,
    RuntimeStatus, Timestamp,
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
        /// What no other event says about where it rests, where the store keeps it. Never compared on
        /// replay: it is there for who looks at a history from outside.
        #[serde(default, skip_serializing_if = "Rest::is_empty")]
        rest: Rest,
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
        /// Which attempt of a call with a retry policy it is. Never compared on replay: older
        /// histories do not say it.
        #[serde(default, skip_serializing_if = "Attempt::is_only")]
        attempt: Attempt,
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
        /// What it was set for. Never compared on replay: older histories do not say it.
        #[serde(default, skip_serializing_if = "TimerPurpose::is_sleep")]
        purpose: TimerPurpose,
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
    /// An operation of an entity was called.
    EntityOperationCalled {
        /// Which entity.
        entity: EntityId,
        /// Which operation.
        operation: OperationName,
        /// With what.
        input: Payload,
        /// The [`EntityLockRequested`](Self::EntityLockRequested) of the critical section it was
        /// called in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<EventId>,
    },
    /// An entity was signalled.
    EntityOperationSignaled {
        /// Which entity.
        entity: EntityId,
        /// Which operation.
        operation: OperationName,
        /// With what.
        input: Payload,
        /// When it is to run, if not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
    },
    /// An operation returned.
    EntityOperationCompleted {
        /// The id of the [`EntityOperationCalled`](Self::EntityOperationCalled) it answers.
        task: EventId,
        /// What it returned.
        result: Payload,
    },
    /// An operation failed, or was refused.
    EntityOperationFailed {
        /// The id of the [`EntityOperationCalled`](Self::EntityOperationCalled) it answers.
        task: EventId,
        /// Why.
        failure: Failure,
    },
    /// The locks of a critical section were asked for.
    EntityLockRequested {
        /// Of which entities: sorted, each once.
        entities: Vec<EntityId>,
    },
    /// All locks of a critical section are held.
    EntityLockGranted {
        /// The id of the [`EntityLockRequested`](Self::EntityLockRequested) it answers.
        task: EventId,
    },
    /// The locks of a critical section were given up.
    EntityUnlockSent {
        /// The id of the [`EntityLockRequested`](Self::EntityLockRequested) it ends.
        section: EventId,
        /// Of which entities: sorted, each once.
        entities: Vec<EntityId>,
        /// Whether they were held. If not, the release follows the request along its path.
        held: bool,
    },
    /// A message to an entity: in an entity's inbox, in nobody's history.
    EntityRequested(Box<EntityRequest>),
}

/// What a durable timer was set for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerPurpose {
    /// The orchestrator sleeps.
    #[default]
    Sleep,
    /// A failed call is tried again when it is due.
    Retry {
        /// The call that failed.
        task: EventId,
    },
    /// A call may take until then.
    Timeout {
        /// The call.
        task: EventId,
    },
}

impl TimerPurpose {
    /// Whether the orchestrator itself asked for it.
    pub const fn is_sleep(&self) -> bool {
        matches!(self, Self::Sleep)
    }
}

/// What leaves no event of its own, as of the end of an episode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The external events that are waited for, in the order of the waits; a name twice for two waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventName>,
    /// The timers that were cancelled in this episode (DECISIONS 8).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelled: Vec<EventId>,
}

impl Rest {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.cancelled.is_empty()
    }
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
