//! What each kind of event is: its name, where it comes from, what it answers.
//!
//! Every kind is named in each rule, so that a new one is decided on. Begin with
//! [`EventKind::is_message`].

use super::{EventId, EventKind};
use crate::model::Payload;

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
            Self::EntityOperationCalled { .. } => "EntityOperationCalled",
            Self::EntityOperationSignaled { .. } => "EntityOperationSignaled",
            Self::EntityOperationCompleted { .. } => "EntityOperationCompleted",
            Self::EntityOperationFailed { .. } => "EntityOperationFailed",
            Self::EntityLockRequested { .. } => "EntityLockRequested",
            Self::EntityLockGranted { .. } => "EntityLockGranted",
            Self::EntityUnlockSent { .. } => "EntityUnlockSent",
            Self::EntityRequested(_) => "EntityRequested",
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
            | Self::GenericEvent { .. }
            | Self::EntityOperationCompleted { .. }
            | Self::EntityOperationFailed { .. }
            | Self::EntityLockGranted { .. }
            | Self::EntityRequested(_) => true,
            Self::ExecutionCompleted { .. }
            | Self::ContinueAsNew { .. }
            | Self::OrchestratorStarted
            | Self::OrchestratorCompleted { .. }
            | Self::TaskScheduled { .. }
            | Self::SubOrchestrationInstanceCreated(_)
            | Self::TimerCreated { .. }
            | Self::EventSent { .. }
            | Self::EntityOperationCalled { .. }
            | Self::EntityOperationSignaled { .. }
            | Self::EntityLockRequested { .. }
            | Self::EntityUnlockSent { .. } => false,
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
            | Self::EntityOperationCalled { input, .. }
            | Self::EntityOperationSignaled { input, .. }
            | Self::ContinueAsNew { input } => Some(input),
            Self::ExecutionCompleted { result, .. }
            | Self::TaskCompleted { result, .. }
            | Self::SubOrchestrationInstanceCompleted { result, .. }
            | Self::EntityOperationCompleted { result, .. } => Some(result),
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
            | Self::EntityOperationFailed { .. }
            | Self::EntityLockRequested { .. }
            | Self::EntityLockGranted { .. }
            | Self::EntityUnlockSent { .. }
            | Self::EntityRequested(_)
            | Self::GenericEvent { .. } => None,
        }
    }

    /// Whether it records an action that something will answer.
    pub fn awaits_answer(&self) -> bool {
        match self {
            Self::TaskScheduled { .. }
            | Self::TimerCreated { .. }
            | Self::EntityOperationCalled { .. }
            | Self::EntityLockRequested { .. } => true,
            Self::SubOrchestrationInstanceCreated(child) => !child.is_detached,
            _ => false,
        }
    }

    /// About how many bytes of JSON the payload takes that the event holds.
    pub fn size_hint(&self) -> usize {
        match self {
            Self::ExecutionStarted(started) => started.input.size(),
            kind => kind.input().map_or(0, Payload::size),
        }
    }

    /// What an action gives to what it asks for.
    pub fn input(&self) -> Option<&Payload> {
        match self {
            Self::TaskScheduled { input, .. }
            | Self::EventSent { input, .. }
            | Self::EntityOperationCalled { input, .. }
            | Self::EntityOperationSignaled { input, .. }
            | Self::ContinueAsNew { input } => Some(input),
            Self::SubOrchestrationInstanceCreated(child) => Some(&child.input),
            _ => None,
        }
    }

    /// The action that is no longer open after such an event: it is answered, or given up.
    pub const fn closes(&self) -> Option<EventId> {
        match self {
            // One that was held had been answered.
            Self::EntityUnlockSent { section, held: false, .. } => Some(*section),
            kind => kind.answers(),
        }
    }

    /// The action that such a message answers.
    pub const fn answers(&self) -> Option<EventId> {
        match self {
            Self::TaskCompleted { task, .. }
            | Self::TaskFailed { task, .. }
            | Self::EntityOperationCompleted { task, .. }
            | Self::EntityOperationFailed { task, .. }
            | Self::EntityLockGranted { task }
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
            | Self::GenericEvent { .. }
            | Self::EntityOperationCalled { .. }
            | Self::EntityOperationSignaled { .. }
            | Self::EntityLockRequested { .. }
            | Self::EntityUnlockSent { .. }
            | Self::EntityRequested(_) => None,
        }
    }
}
