//! From facts to the history that a store would keep: episodes, times, numbers.
//!
//! Refuses what could never have come about, so that a test of a wrong history fails by its cause.
//! Begin with [`written`].

use std::{collections::BTreeMap, time::Duration};

use durable::{
    history::{EventId, EventKind, History, HistoryEvent, Rest, TimerPurpose},
    model::Timestamp,
};

use crate::history::{Fact, Kind};

/// The history that consists of `facts`, as a store would keep it: in episodes, with times.
///
/// ```
/// use durable_testkit::history::{completed, scheduled, started, written};
///
/// let history = written([started("Ada"), scheduled(0, "greet").with("Ada"), completed(0, "hello Ada")]);
/// assert_eq!(history.episodes(), 2);
/// ```
///
/// # Panics
/// When it could never have come about: it does not begin with `started`, numbers do not count up
/// from 0, or an answer has no question.
#[track_caller]
pub fn written(facts: impl IntoIterator<Item = Fact>) -> History {
    let mut chronicle = Chronicle::new();
    for fact in facts {
        chronicle.add(&fact);
    }
    chronicle.close(None);
    History::new(chronicle.events)
}

/// 2026-01-01T00:00:00Z, when every written history begins. Each episode begins a second after the
/// one before, or when the timer that causes it is due.
fn beginning() -> Timestamp {
    Timestamp::from_microseconds(1_767_225_600_000_000)
}

/// A history that is being written.
#[derive(Debug)]
pub(crate) struct Chronicle {
    pub(crate) events: Vec<HistoryEvent>,
    /// When the current episode began, or the last one did.
    pub(crate) now: Timestamp,
    episodes: u32,
    stage: Stage,
    next_id: EventId,
    /// What was asked for and not answered; of a timer, when it is due.
    open: BTreeMap<EventId, Option<Timestamp>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Between,
    Listening,
    Acting,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        Self {
            events: Vec::new(),
            now: beginning(),
            episodes: 0,
            stage: Stage::Between,
            next_id: EventId::FIRST,
            open: BTreeMap::new(),
        }
    }

    /// Adds a fact of the past.
    #[track_caller]
    pub(crate) fn add(&mut self, fact: &Fact) {
        if let Kind::NextEpisode = fact.0 {
            return self.close(None);
        }
        let (id, kind) = self.event_of(fact);
        if kind.is_message() {
            assert!(
                self.episodes > 0 || matches!(kind, EventKind::ExecutionStarted(_)),
                "a history begins with `started`, not with: {fact}"
            );
            if self.stage != Stage::Listening {
                self.begin(&kind);
            }
            self.hear(HistoryEvent::new(self.now, kind));
        } else {
            assert!(self.stage != Stage::Between, "nothing was heard in this episode before: {fact}");
            let is_end =
                matches!(kind, EventKind::ExecutionCompleted { .. } | EventKind::ContinueAsNew { .. });
            assert!(
                is_end || id == self.next_id,
                "the next number is {}, and not that of: {fact}",
                self.next_id
            );
            self.act(HistoryEvent::action(self.next_id, self.now, kind));
        }
    }

    /// The event that a fact stands for, here and now.
    pub(crate) fn event_of(&self, fact: &Fact) -> (EventId, EventKind) {
        match &fact.0 {
            Kind::Event { id, kind, .. } => (*id, kind.clone()),
            Kind::Timer { id, after } => (
                *id,
                EventKind::TimerCreated {
                    fire_at: self.now.saturating_add(*after),
                    purpose: TimerPurpose::Sleep,
                },
            ),
            Kind::Fired { timer } => {
                let fire_at = self.open.get(timer).copied().flatten().unwrap_or(self.now);
                (EventId::NONE, EventKind::TimerFired { timer: *timer, fire_at })
            }
            Kind::NextEpisode => (EventId::NONE, EventKind::OrchestratorStarted),
        }
    }

    /// Begins the episode that `cause` causes.
    pub(crate) fn begin(&mut self, cause: &EventKind) {
        self.close(None);
        if self.episodes > 0 {
            self.now = self.now.saturating_add(Duration::from_secs(1));
        }
        if let EventKind::TimerFired { fire_at, .. } = cause {
            self.now = self.now.max(*fire_at);
        }
        self.episodes += 1;
        self.stage = Stage::Listening;
        self.events.push(HistoryEvent::new(self.now, EventKind::OrchestratorStarted));
    }

    /// Takes note of a message.
    #[track_caller]
    pub(crate) fn hear(&mut self, event: HistoryEvent) {
        if let Some(question) = event.kind.answers() {
            let was_open = self.open.remove(&question).is_some();
            assert!(was_open, "nothing that has number {question} waits for an answer");
        }
        self.events.push(event);
    }

    /// Takes note of an action.
    pub(crate) fn act(&mut self, event: HistoryEvent) {
        match &event.kind {
            EventKind::TimerCreated { fire_at, .. } => drop(self.open.insert(event.id, Some(*fire_at))),
            kind if kind.awaits_answer() => drop(self.open.insert(event.id, None)),
            kind => drop(kind.closes().and_then(|task| self.open.remove(&task))),
        }
        self.stage = Stage::Acting;
        self.next_id = event.id.next();
        self.events.push(event);
    }

    /// Ends the current episode, if there is one.
    pub(crate) fn close(&mut self, digest: Option<u64>) {
        if self.stage != Stage::Between {
            self.stage = Stage::Between;
            self.events.push(HistoryEvent::new(
                self.now,
                EventKind::OrchestratorCompleted { digest, rest: Rest::default() },
            ));
        }
    }
}
