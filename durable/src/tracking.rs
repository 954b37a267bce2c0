//! Tracking events: what becomes of every instance, for whoever collects traces (R3:DIAG-1).
//!
//! Each step of a life is one `tracing` event at the target [`TARGET`], with the fields that the tools
//! of the field ask for. It is made by whoever makes the step: the client that starts, the worker whose
//! episode or activity it is. An episode's steps are told before its checkpoint is stored, so that they
//! stand in order; if storing fails, the episode runs and is told again. Nothing is told on replay,
//! unless replays are let through. Costs one check where nobody listens. Must not know functions
//! or stores. Begin with [`Tracker`].

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tracing::Level;

use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent},
    model::{EventName, FunctionName, InstanceId, Payload, RuntimeStatus, TaskHubName},
    provider::{ActivityWorkItem, Checkpoint},
};

/// The target of every tracking event. `durable::tracking=off` silences them; at `error` only
/// failures are told (R3:DIAG-7).
///
/// Fields (R3:DIAG-2): `hubName`, `appName`, `slotName`, `functionName`, `functionType`
/// (`Orchestrator` or `Activity`), `instanceId`, `state`, `reason` (of `Listening` the event's name, of
/// `Failed` the error; R3:DIAG-4), `isReplay`, `extensionVersion` (of this crate), `sequenceNumber`
/// (counted by the process from 0: sort by time first; R3:DIAG-6), `input` and `output` (their size
/// unless payloads are tracked; R3:DIAG-9), and beyond these `taskId` of an activity.
pub const TARGET: &str = "durable::tracking";

/// Tells what becomes of the instances of one hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracker(Arc<Source>);

/// Who tells.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The hub's name.
    pub hub: TaskHubName,
    /// The application's name; empty when nobody gave it one.
    pub app: String,
    /// The deployment slot; empty when there is none.
    pub slot: String,
    /// Whether inputs and outputs are told whole instead of by their size.
    pub payloads: bool,
}

/// A step in the life of a function's call (R3:DIAG-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Asked for, not begun.
    Scheduled,
    /// Begun.
    Started,
    /// Waits for what it has asked for.
    Awaited,
    /// Waits for an external event.
    Listening,
    Suspended,
    Resumed,
    Completed,
    Failed,
    Terminated,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Started => "Started",
            Self::Awaited => "Awaited",
            Self::Listening => "Listening",
            Self::Suspended => "Suspended",
            Self::Resumed => "Resumed",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Terminated => "Terminated",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Step<'a> {
    function: &'a str,
    function_type: &'static str,
    instance: &'a InstanceId,
    state: State,
    reason: Option<&'a str>,
    input: Option<&'a Payload>,
    output: Option<&'a Payload>,
    task: Option<i32>,
    is_replay: bool,
}

impl<'a> Step<'a> {
    fn orchestrator(function: &'a str, instance: &'a InstanceId, state: State) -> Self {
        let function_type = "Orchestrator";
        Self {
            function,
            function_type,
            instance,
            state,
            reason: None,
            input: None,
            output: None,
            task: None,
            is_replay: false,
        }
    }

    fn activity(scheduled: &'a HistoryEvent, instance: &'a InstanceId, state: State) -> Option<Self> {
        let EventKind::TaskScheduled { name, .. } = &scheduled.kind else { return None };
        let task = Some(scheduled.id.as_i32());
        let step = Self::orchestrator(name.as_str(), instance, state);
        Some(Self { function_type: "Activity", task, ..step })
    }
}

/// The count behind `sequenceNumber`.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

macro_rules! emit {
    ($level:expr, $source:expr, $step:expr) => {
        tracing::event!(
            target: TARGET,
            $level,
            hubName = $source.hub.as_str(),
            appName = $source.app.as_str(),
            slotName = $source.slot.as_str(),
            functionName = $step.function,
            functionType = $step.function_type,
            instanceId = $step.instance.as_str(),
            state = $step.state.as_str(),
            reason = $step.reason,
            isReplay = $step.is_replay,
            extensionVersion = env!("CARGO_PKG_VERSION"),
            sequenceNumber = SEQUENCE.fetch_add(1, Ordering::Relaxed),
            input = $step.input.map(|payload| $source.shown(payload)),
            output = $step.output.map(|payload| $source.shown(payload)),
            taskId = $step.task,
            "{}: {} `{}` {}",
            $step.instance,
            $step.function_type,
            $step.function,
            $step.state.as_str(),
        )
    };
}

impl Source {
    fn shown(&self, payload: &Payload) -> String {
        if self.payloads { payload.as_json().to_owned() } else { format!("({} bytes)", payload.size()) }
    }
}

impl Tracker {
    /// A tracker that tells who it is by `source`.
    pub fn new(source: Source) -> Self {
        Self(Arc::new(source))
    }

    /// Whether anybody listens. Asked first, since a step takes some work to be told.
    pub(crate) fn is_heard(&self) -> bool {
        tracing::enabled!(target: TARGET, Level::ERROR)
    }

    /// A client has started an orchestration.
    pub(crate) fn scheduled(&self, started: &ExecutionStarted) {
        if self.is_heard() {
            let step = Step::orchestrator(started.name.as_str(), &started.instance, State::Scheduled);
            self.tell(&Step { input: Some(&started.input), ..step });
        }
    }

    /// An episode of `function` has come to `checkpoint`; `new_waits` are the external events that it
    /// waits for and did not before. Without a function when it is not known which one it was.
    pub(crate) fn episode(
        &self,
        function: Option<&FunctionName>,
        instance: &InstanceId,
        checkpoint: &Checkpoint,
        new_waits: impl FnOnce() -> Vec<EventName>,
    ) {
        if !self.is_heard() || checkpoint.events.is_empty() {
            return;
        }
        let function = function.map(FunctionName::as_str).unwrap_or_default();
        self.steps(function, instance, &checkpoint.events, checkpoint.change.status, false);
        if checkpoint.change.status == RuntimeStatus::Running {
            self.rest(function, instance, &checkpoint.events, &new_waits());
        }
    }

    /// The worker has replayed `past`, and replays are let through (R3:DIAG-8).
    pub(crate) fn replayed(&self, function: &FunctionName, instance: &InstanceId, past: &[HistoryEvent]) {
        if !self.is_heard() {
            return;
        }
        let ends = |event: &HistoryEvent| matches!(event.kind, EventKind::OrchestratorCompleted { .. });
        for episode in past.split_inclusive(ends) {
            self.steps(function.as_str(), instance, episode, RuntimeStatus::Running, true);
            let step = Step::orchestrator(function.as_str(), instance, State::Awaited);
            self.tell(&Step { is_replay: true, ..step });
        }
    }

    /// A worker begins to run an activity.
    pub(crate) fn activity_started(&self, item: &ActivityWorkItem) {
        if self.is_heard()
            && let Some(step) = Step::activity(&item.scheduled, &item.instance, State::Started)
        {
            self.tell(&step);
        }
    }

    /// An activity has ended as `end` says.
    pub(crate) fn activity_ended(&self, item: &ActivityWorkItem, end: &EventKind) {
        if !self.is_heard() {
            return;
        }
        let step = |state| Step::activity(&item.scheduled, &item.instance, state);
        match end {
            EventKind::TaskCompleted { result, .. } => {
                if let Some(step) = step(State::Completed) {
                    self.tell(&Step { output: Some(result), ..step });
                }
            }
            EventKind::TaskFailed { failure, .. } => {
                let reason = format!("{failure:?}");
                if let Some(step) = step(State::Failed) {
                    self.tell(&Step { reason: Some(&reason), ..step });
                }
            }
            _ => {}
        }
    }

    fn steps(
        &self,
        function: &str,
        instance: &InstanceId,
        events: &[HistoryEvent],
        status: RuntimeStatus,
        is_replay: bool,
    ) {
        let of = |state| Step { is_replay, ..Step::orchestrator(function, instance, state) };
        for event in events {
            match &event.kind {
                EventKind::ExecutionStarted(started) => {
                    self.tell(&Step { input: Some(&started.input), ..of(State::Started) });
                }
                EventKind::TaskScheduled { input, .. } if !status.is_terminal() => {
                    if let Some(step) = Step::activity(event, instance, State::Scheduled) {
                        self.tell(&Step { input: Some(input), is_replay, ..step });
                    }
                }
                EventKind::SubOrchestrationInstanceCreated(child)
                    if !status.is_terminal() || child.is_detached =>
                {
                    let step = Step::orchestrator(child.name.as_str(), &child.instance, State::Scheduled);
                    self.tell(&Step { input: Some(&child.input), is_replay, ..step });
                }
                EventKind::ExecutionSuspended { reason } => {
                    self.tell(&Step { reason: Some(reason), ..of(State::Suspended) });
                }
                EventKind::ExecutionResumed { reason } => {
                    self.tell(&Step { reason: Some(reason), ..of(State::Resumed) });
                }
                EventKind::ExecutionCompleted { status, result, failure } => {
                    self.end(of(State::Completed), *status, result, failure.as_ref());
                }
                _ => {}
            }
        }
    }

    fn end(
        &self,
        step: Step<'_>,
        status: RuntimeStatus,
        result: &Payload,
        failure: Option<&crate::model::Failure>,
    ) {
        match (status, failure) {
            (RuntimeStatus::Terminated, _) => {
                let reason = result.read::<String>().unwrap_or_default();
                self.tell(&Step { state: State::Terminated, reason: Some(&reason), ..step });
            }
            (_, Some(failure)) => {
                let reason = format!("{failure:?}");
                self.tell(&Step { state: State::Failed, reason: Some(&reason), ..step });
            }
            _ => self.tell(&Step { output: Some(result), ..step }),
        }
    }

    /// What an orchestration waits for. One that only waits for events tells these alone, so that the
    /// newest step of an instance says what it listens for (R3:DIAG-13).
    fn rest(&self, function: &str, instance: &InstanceId, events: &[HistoryEvent], new_waits: &[EventName]) {
        let asks = |event: &HistoryEvent| event.id.as_i32() >= 0;
        if new_waits.is_empty() || events.iter().any(asks) {
            self.tell(&Step::orchestrator(function, instance, State::Awaited));
        }
        for event in new_waits {
            let step = Step::orchestrator(function, instance, State::Listening);
            self.tell(&Step { reason: Some(event.as_str()), ..step });
        }
    }

    fn tell(&self, step: &Step<'_>) {
        match step.state {
            State::Failed => emit!(Level::ERROR, self.0, step),
            State::Scheduled
            | State::Started
            | State::Awaited
            | State::Listening
            | State::Suspended
            | State::Resumed
            | State::Completed
            | State::Terminated => emit!(Level::INFO, self.0, step),
        }
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new(Source::default())
    }
}
