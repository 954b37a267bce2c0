//! Facts of a history, written as short as they are said: `started("Ada")`, `scheduled(0, "greet")`.
//!
//! Episodes and times are filled in, and a history that could never have come about is refused at
//! once. Knows no orchestrator. Begin with [`Fact`]; [`written`] makes a history of facts.

use std::{collections::BTreeMap, fmt, time::Duration};

use durable::{
    history::{BEHAVIOUR, EventId, EventKind, ExecutionStarted, SubOrchestration},
    model::{
        Attempt, EventName, ExecutionId, Failure, FunctionName, InstanceId, Payload, RuntimeStatus, Timestamp,
    },
};
use serde::Serialize;

use crate::entity_facts;

pub use crate::{
    chronicle::written,
    entity_facts::{
        locks_granted, locks_requested, operation_answered, operation_called, operation_failed, signalled,
        unlocked, withdrawn,
    },
};

/// One fact of a history, or one thing an orchestrator is expected to ask for.
#[derive(Clone)]
pub struct Fact(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Event { id: EventId, kind: EventKind, input_matters: bool },
    Timer { id: EventId, after: Duration },
    Fired { timer: EventId },
    NextEpisode,
}

impl Fact {
    fn event(id: i32, kind: EventKind) -> Self {
        Self(Kind::Event { id: EventId::from_i32(id), kind, input_matters: true })
    }

    fn message(kind: EventKind) -> Self {
        Self::event(EventId::NONE.as_i32(), kind)
    }

    /// Says with which input a call is made. Without it any input will do.
    ///
    /// # Panics
    /// When JSON cannot hold it, or the fact is no call.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, value: impl Serialize) -> Self {
        match &mut self.0 {
            Kind::Event { kind: EventKind::TaskScheduled { input, .. }, input_matters, .. } => {
                *input = json(value);
                *input_matters = true;
            }
            Kind::Event {
                kind: EventKind::SubOrchestrationInstanceCreated(child), input_matters, ..
            } => {
                child.input = json(value);
                *input_matters = true;
            }
            Kind::Event {
                kind:
                    EventKind::EntityOperationCalled { input, .. }
                    | EventKind::EntityOperationSignaled { input, .. },
                input_matters,
                ..
            } => {
                *input = json(value);
                *input_matters = true;
            }
            _ => panic!("only a call or a signal has an input: {self:?}"),
        }
        self
    }

    /// Of a called or started orchestration: under this instance id.
    ///
    /// # Panics
    /// When it is no instance id, or the fact no orchestration.
    #[must_use]
    #[track_caller]
    pub fn under(mut self, instance: &str) -> Self {
        match &mut self.0 {
            Kind::Event { kind: EventKind::SubOrchestrationInstanceCreated(child), .. } => {
                child.instance = InstanceId::new(instance).unwrap_or_else(|error| panic!("{error}"));
            }
            _ => panic!("only an orchestration has an instance id: {self:?}"),
        }
        self
    }

    /// Whether an action of that number and kind is this fact, in an episode that began at `now`.
    pub(crate) fn is(&self, id: EventId, made: &EventKind, now: Timestamp) -> bool {
        use EventKind::{
            ContinueAsNew, EventSent, ExecutionCompleted, SubOrchestrationInstanceCreated, TaskScheduled,
        };
        match (&self.0, made) {
            (Kind::Timer { id: own, after }, EventKind::TimerCreated { fire_at, .. }) => {
                *own == id && now.saturating_add(*after) == *fire_at
            }
            (
                Kind::Event { id: own, kind: TaskScheduled { name, version, input, .. }, input_matters },
                TaskScheduled { name: other, version: other_version, input: other_input, .. },
            ) => {
                let same_input = !input_matters || input.is_same_json(other_input);
                *own == id && name == other && version == other_version && same_input
            }
            (
                Kind::Event { id: own, kind: SubOrchestrationInstanceCreated(child), input_matters },
                SubOrchestrationInstanceCreated(other),
            ) => {
                let same_input = !input_matters || child.input.is_same_json(&other.input);
                let same = (&child.name, &child.version, &child.instance, child.is_detached)
                    == (&other.name, &other.version, &other.instance, other.is_detached);
                *own == id && same && same_input
            }
            (Kind::Event { kind: ContinueAsNew { input }, .. }, ContinueAsNew { input: other }) => {
                input.is_same_json(other)
            }
            (
                Kind::Event { id: own, kind: EventSent { instance, name, input }, .. },
                EventSent { instance: other, name: other_name, input: other_input },
            ) => *own == id && instance == other && name == other_name && input.is_same_json(other_input),
            (
                Kind::Event { kind: ExecutionCompleted { status, result, failure }, .. },
                ExecutionCompleted { status: other, result: other_result, failure: other_failure },
            ) => {
                let message = |failure: &Option<Failure>| failure.as_ref().map(|f| f.message().to_owned());
                let same_failure = message(failure) == message(other_failure);
                status == other && result.is_same_json(other_result) && same_failure
            }
            (Kind::Event { id: own, kind, input_matters }, made) => {
                *own == id && entity_facts::is_same(kind, made, *input_matters)
            }
            _ => false,
        }
    }

    /// Whether replay can compare the inputs of this fact.
    pub(crate) fn is_exact(&self) -> bool {
        !matches!(self.0, Kind::Event { input_matters: false, .. })
    }
}

#[track_caller]
pub(crate) fn json(value: impl Serialize) -> Payload {
    Payload::of(&value).unwrap_or_else(|error| panic!("JSON cannot hold this value: {error}"))
}

/// The execution was asked for with `input`; several inputs are a tuple.
#[track_caller]
pub fn started(input: impl Serialize) -> Fact {
    Fact::message(EventKind::ExecutionStarted(Box::new(ExecutionStarted {
        name: FunctionName::literal("orchestrator"),
        version: None,
        input: json(input),
        instance: InstanceId::new("test").expect("`test` is a well-formed instance id"),
        execution: ExecutionId::new("test"),
        generation: 0,
        tags: BTreeMap::new(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    })))
}

/// Activity `name` was called, with whatever input; [`Fact::with`] says which.
pub fn scheduled(id: i32, name: impl Into<FunctionName>) -> Fact {
    let kind = EventKind::TaskScheduled {
        name: name.into(),
        version: None,
        input: Payload::null(),
        attempt: Attempt::ONLY,
    };
    Fact(Kind::Event { id: EventId::from_i32(id), kind, input_matters: false })
}

/// Call `task` returned `result`.
#[track_caller]
pub fn completed(task: i32, result: impl Serialize) -> Fact {
    Fact::message(EventKind::TaskCompleted { task: EventId::from_i32(task), result: json(result) })
}

/// Call `task` failed.
pub fn failed(task: i32, failure: impl Into<Failure>) -> Fact {
    Fact::message(EventKind::TaskFailed { task: EventId::from_i32(task), failure: failure.into() })
}

/// Orchestrator `name` was called, as a sub-orchestration whose id was not chosen, with whatever input;
/// [`Fact::with`] says which, [`Fact::under`] under which id.
pub fn called(id: i32, name: impl Into<FunctionName>) -> Fact {
    child(id, name.into(), false)
}

/// Orchestrator `name` was started and is not waited for, with whatever input; [`Fact::with`] says
/// which, [`Fact::under`] under which id.
pub fn begun(id: i32, name: impl Into<FunctionName>) -> Fact {
    child(id, name.into(), true)
}

fn child(id: i32, name: FunctionName, is_detached: bool) -> Fact {
    let kind = EventKind::SubOrchestrationInstanceCreated(Box::new(SubOrchestration {
        name,
        version: None,
        input: Payload::null(),
        instance: InstanceId::of_child(&ExecutionId::new("test"), id),
        tags: BTreeMap::new(),
        scheduled_start: None,
        is_detached,
    }));
    Fact(Kind::Event { id: EventId::from_i32(id), kind, input_matters: false })
}

/// Sub-orchestration `task` returned `result`.
#[track_caller]
pub fn sub_completed(task: i32, result: impl Serialize) -> Fact {
    let (task, result) = (EventId::from_i32(task), json(result));
    Fact::message(EventKind::SubOrchestrationInstanceCompleted { task, result })
}

/// Sub-orchestration `task` failed.
pub fn sub_failed(task: i32, failure: impl Into<Failure>) -> Fact {
    let (task, failure) = (EventId::from_i32(task), failure.into());
    Fact::message(EventKind::SubOrchestrationInstanceFailed { task, failure })
}

/// The instance goes on as another execution, with `input`.
#[track_caller]
pub fn continue_as_new(input: impl Serialize) -> Fact {
    Fact::message(EventKind::ContinueAsNew { input: json(input) })
}

/// A timer was set, due `after` the beginning of the episode.
pub fn timer(id: i32, after: Duration) -> Fact {
    Fact(Kind::Timer { id: EventId::from_i32(id), after })
}

/// Timer `id` was due.
pub fn fired(id: i32) -> Fact {
    Fact(Kind::Fired { timer: EventId::from_i32(id) })
}

/// An external event came in.
#[track_caller]
pub fn raised(name: impl Into<EventName>, data: impl Serialize) -> Fact {
    Fact::message(EventKind::EventRaised { name: name.into(), input: json(data) })
}

/// Somebody halted the instance.
pub fn suspended() -> Fact {
    Fact::message(EventKind::ExecutionSuspended { reason: String::new() })
}

/// Somebody let the instance go on.
pub fn resumed() -> Fact {
    Fact::message(EventKind::ExecutionResumed { reason: String::new() })
}

/// Somebody ended the instance.
pub fn terminated(reason: impl Into<String>) -> Fact {
    Fact::message(EventKind::ExecutionTerminated { reason: reason.into(), recursive: false })
}

/// The orchestrator returned `output`.
#[track_caller]
pub fn complete(output: impl Serialize) -> Fact {
    let result = json(output);
    let kind = EventKind::ExecutionCompleted { status: RuntimeStatus::Completed, result, failure: None };
    Fact::message(kind)
}

/// The orchestrator failed with this message.
pub fn fail(message: impl Into<String>) -> Fact {
    let (status, failure) = (RuntimeStatus::Failed, Some(Failure::new(message)));
    Fact::message(EventKind::ExecutionCompleted { status, result: Payload::null(), failure })
}

/// The execution ended because somebody ended it from outside.
pub fn terminates(reason: &str) -> Fact {
    let (status, result) = (RuntimeStatus::Terminated, json(reason));
    Fact::message(EventKind::ExecutionCompleted { status, result, failure: None })
}

/// What follows happened in another episode. Needed only between messages that brought no action.
pub fn next_episode() -> Fact {
    Fact(Kind::NextEpisode)
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Event { id, kind: EventKind::TaskScheduled { name, .. }, input_matters: false } => {
                write!(f, "{id} call of `{name}`, with any input")
            }
            Kind::Event {
                id,
                kind: EventKind::SubOrchestrationInstanceCreated(child),
                input_matters: false,
            } => {
                write!(f, "{id} orchestration `{}` as `{}`, with any input", child.name, child.instance)
            }
            Kind::Event { id, kind, .. } => f.write_str(&describe(*id, kind)),
            Kind::Timer { id, after } => write!(f, "{id} timer due {after:?} after the episode began"),
            Kind::Fired { timer } => write!(f, "timer {timer} fired"),
            Kind::NextEpisode => f.write_str("another episode"),
        }
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An action or message in one line.
pub(crate) fn describe(id: EventId, kind: &EventKind) -> String {
    match kind {
        EventKind::TaskScheduled { name, input, .. } => format!("{id} call of `{name}` with {input:?}"),
        EventKind::TimerCreated { fire_at, .. } => format!("{id} timer due at {fire_at}"),
        EventKind::EventSent { instance, name, input } => {
            format!("{id} event `{name}` for `{instance}` with {input:?}")
        }
        EventKind::ExecutionCompleted { failure: Some(failure), .. } => {
            format!("fails: {}", failure.message())
        }
        EventKind::ExecutionCompleted { result, .. } => format!("returns {result:?}"),
        EventKind::SubOrchestrationInstanceCreated(child) => {
            format!("{id} orchestration `{}` as `{}` with {:?}", child.name, child.instance, child.input)
        }
        EventKind::ContinueAsNew { input } => format!("continues as new with {input:?}"),
        EventKind::TaskCompleted { task, result } => format!("call {task} returned {result:?}"),
        EventKind::TaskFailed { task, failure } => format!("call {task} failed: {}", failure.message()),
        other => entity_facts::describe(id, other).unwrap_or_else(|| other.name().to_owned()),
    }
}
