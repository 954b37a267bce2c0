//! The events of one execution, in order, and what follows from them.

use std::collections::BTreeMap;

use super::{EventId, EventKind, ExecutionStarted, HistoryEvent, TaskMessage};
use crate::model::{Payload, RuntimeStatus};

/// The events of one execution in the order in which they were stored: each episode's
/// `OrchestratorStarted`, the messages it consumed, the actions it took, `OrchestratorCompleted`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    events: Vec<HistoryEvent>,
}

impl History {
    /// The history that consists of `events`.
    pub fn new(events: Vec<HistoryEvent>) -> Self {
        Self { events }
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[HistoryEvent] {
        &self.events
    }

    /// The events by themselves.
    pub fn into_events(self) -> Vec<HistoryEvent> {
        self.events
    }

    /// The same events, with `null` in place of inputs, results and data of events, which may be large
    /// (R2:MGT-11). Failures and reasons stay.
    #[must_use]
    pub fn without_payloads(mut self) -> Self {
        for event in &mut self.events {
            if let Some(payload) = event.kind.payload_mut() {
                *payload = Payload::null();
            }
        }
        self
    }

    /// The names of the events, oldest first.
    pub fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.kind.name()).collect()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How the execution began.
    pub fn started(&self) -> Option<&ExecutionStarted> {
        self.events.iter().find_map(|event| match &event.kind {
            EventKind::ExecutionStarted(started) => Some(&**started),
            _ => None,
        })
    }

    /// How many episodes there were.
    pub fn episodes(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.kind, EventKind::OrchestratorStarted)).count()
    }

    /// How the execution ended, if it has.
    pub fn outcome(&self) -> Option<RuntimeStatus> {
        self.events.iter().rev().find_map(|event| match event.kind {
            EventKind::ExecutionCompleted { status, .. } => Some(status),
            _ => None,
        })
    }

    /// The recorded calls and timers that no event has answered yet, in the order in which they were
    /// asked for. Cancelled timers are among them: a cancellation leaves no event,
    /// and the late fire is ignored (DECISIONS 8).
    pub fn open_tasks(&self) -> Vec<&HistoryEvent> {
        let mut open = BTreeMap::<EventId, &HistoryEvent>::new();
        for event in &self.events {
            match &event.kind {
                kind if kind.awaits_answer() => {
                    open.insert(event.id, event);
                }
                kind => {
                    kind.closes().and_then(|task| open.remove(&task));
                }
            }
        }
        open.into_values().collect()
    }

    /// The events as the reference prints them (R1:ORCH-22): by time, and at one time an episode's
    /// start before its actions, and the end of the execution last.
    pub fn in_time_order(&self) -> Vec<&HistoryEvent> {
        let rank = |kind: &EventKind| match kind {
            EventKind::OrchestratorStarted => 1,
            EventKind::OrchestratorCompleted { .. } => 3,
            EventKind::ExecutionCompleted { .. } => 4,
            kind if kind.is_message() => 0,
            _ => 2,
        };
        let mut events: Vec<_> = self.events.iter().collect();
        events.sort_by_key(|event| (event.timestamp, rank(&event.kind)));
        events
    }
}

impl From<Vec<HistoryEvent>> for History {
    fn from(events: Vec<HistoryEvent>) -> Self {
        Self::new(events)
    }
}

impl Extend<HistoryEvent> for History {
    fn extend<I: IntoIterator<Item = HistoryEvent>>(&mut self, events: I) {
        self.events.extend(events);
    }
}

impl TaskMessage {
    /// The message that fires the timer recorded by `event`; `None` when it records none.
    pub fn timer(to: &ExecutionStarted, event: &HistoryEvent) -> Option<Self> {
        let EventKind::TimerCreated { fire_at, .. } = event.kind else { return None };
        Some(Self {
            instance: to.instance.clone(),
            execution: Some(to.execution.clone()),
            event: HistoryEvent::new(fire_at, EventKind::TimerFired { timer: event.id, fire_at }),
            visible_at: Some(fire_at),
        })
    }
}
