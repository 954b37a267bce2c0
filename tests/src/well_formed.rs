//! What every history must look like, however often its process was killed.
//!
//! Written against the field's rules, not against the engine: it shares no code with it. Begin with
//! [`well_formed`].

use std::collections::BTreeMap;

use durable::{
    history::{EventId, EventKind, History, HistoryEvent},
    model::Timestamp,
};

/// What is wrong with a history, and at which event.
#[derive(Debug, thiserror::Error)]
#[error("event {at} (`{event}`): {what}")]
pub struct Flaw {
    at: usize,
    event: &'static str,
    what: String,
}

/// Walks a history and remembers what may come next.
#[derive(Default)]
struct Walk {
    in_episode: bool,
    has_acted: bool,
    has_started: bool,
    has_ended: bool,
    episode: usize,
    actions: i32,
    /// The open tasks, with the episode that asked for them and what it asked for.
    open: BTreeMap<EventId, (usize, &'static str)>,
    last_start: Option<Timestamp>,
}

/// Checks that a history is whole: episodes in brackets, messages before actions, actions numbered
/// without a gap, every completion the only one of a task that an earlier episode asked for, and of its
/// kind, nothing after the end. Gives the tasks that are still open.
///
/// # Errors
/// The first flaw, with its place.
pub fn well_formed(history: &History) -> Result<Vec<EventId>, Flaw> {
    let mut walk = Walk::default();
    for (at, event) in history.events().iter().enumerate() {
        walk.step(event).map_err(|what| Flaw { at, event: event.kind.name(), what })?;
    }
    if walk.in_episode {
        let at = history.events().len();
        return Err(Flaw { at, event: "end", what: "the last episode is not closed".into() });
    }
    Ok(walk.open.into_keys().collect())
}

impl Walk {
    fn step(&mut self, event: &HistoryEvent) -> Result<(), String> {
        match &event.kind {
            EventKind::OrchestratorStarted => return self.begin(event),
            EventKind::OrchestratorCompleted { .. } => return self.close(event),
            _ if !self.in_episode => return Err("it stands outside an episode".into()),
            _ if self.has_ended => return Err("it comes after the end".into()),
            _ => {}
        }
        if event.kind.is_message() { self.message(event) } else { self.action(event) }
    }

    fn begin(&mut self, event: &HistoryEvent) -> Result<(), String> {
        has_no_id(event)?;
        if self.in_episode {
            return Err("the episode before it is not closed".into());
        }
        if self.has_ended {
            return Err("it comes after the end".into());
        }
        if self.last_start.is_some_and(|last| last > event.timestamp) {
            return Err("time went back".into());
        }
        self.last_start = Some(event.timestamp);
        self.in_episode = true;
        self.has_acted = false;
        self.episode += 1;
        Ok(())
    }

    fn close(&mut self, event: &HistoryEvent) -> Result<(), String> {
        has_no_id(event)?;
        if !self.has_started {
            return Err("the first episode does not start the execution".into());
        }
        if !std::mem::take(&mut self.in_episode) {
            return Err("it closes no episode".into());
        }
        Ok(())
    }

    fn message(&mut self, event: &HistoryEvent) -> Result<(), String> {
        has_no_id(event)?;
        if self.has_acted {
            return Err("a message stands behind an action of its episode".into());
        }
        if matches!(event.kind, EventKind::ExecutionStarted(_))
            && std::mem::replace(&mut self.has_started, true)
        {
            return Err("the execution started before".into());
        }
        let Some(task) = event.kind.answers() else { return Ok(()) };
        match self.open.remove(&task) {
            Some((_, asked)) if asked != answered_by(event) => {
                Err(format!("task {task} asked for something else: `{asked}`"))
            }
            Some((episode, _)) if episode < self.episode => Ok(()),
            Some(_) => Err(format!("task {task} was asked for in the same episode")),
            None => Err(format!("it answers task {task}, which is not open")),
        }
    }

    fn action(&mut self, event: &HistoryEvent) -> Result<(), String> {
        let next = EventId::from_i32(self.actions);
        if event.id != next {
            return Err(format!("its id is {}, and the next action is {next}", event.id));
        }
        self.actions += 1;
        self.has_acted = true;
        match &event.kind {
            EventKind::TaskScheduled { .. } | EventKind::TimerCreated { .. } => {
                self.open.insert(event.id, (self.episode, event.kind.name()));
            }
            EventKind::SubOrchestrationInstanceCreated(child) if !child.is_detached => {
                self.open.insert(event.id, (self.episode, event.kind.name()));
            }
            EventKind::ExecutionCompleted { .. } => self.has_ended = true,
            _ => {}
        }
        Ok(())
    }
}

/// What such an answer answers.
fn answered_by(event: &HistoryEvent) -> &'static str {
    match &event.kind {
        EventKind::TaskCompleted { .. } | EventKind::TaskFailed { .. } => "TaskScheduled",
        EventKind::TimerFired { .. } => "TimerCreated",
        EventKind::SubOrchestrationInstanceCompleted { .. }
        | EventKind::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceCreated",
        _ => "nothing that these tests know",
    }
}

fn has_no_id(event: &HistoryEvent) -> Result<(), String> {
    if event.id == EventId::NONE {
        Ok(())
    } else {
        Err(format!("it is no action, and has the id {}", event.id))
    }
}

#[cfg(test)]
mod tests {
    use durable::{
        history::Rest,
        model::{Attempt, Payload, RuntimeStatus},
    };

    use super::*;

    fn history(kinds: Vec<(i32, EventKind)>) -> History {
        let event =
            |(id, kind)| HistoryEvent { id: EventId::from_i32(id), timestamp: Timestamp::UNIX_EPOCH, kind };
        kinds.into_iter().map(event).collect::<Vec<_>>().into()
    }

    fn greets_once() -> Vec<(i32, EventKind)> {
        let null = Payload::null;
        let started = durable::history::ExecutionStarted {
            name: "greet".into(),
            version: None,
            input: null(),
            instance: durable::model::InstanceId::new("a").unwrap(),
            execution: durable::model::ExecutionId::new("1"),
            generation: 0,
            tags: BTreeMap::new(),
            scheduled_start: None,
            retention: None,
            parent: None,
            behaviour: 1,
        };
        let end =
            EventKind::ExecutionCompleted { status: RuntimeStatus::Completed, result: null(), failure: None };
        vec![
            (-1, EventKind::OrchestratorStarted),
            (-1, EventKind::ExecutionStarted(started.into())),
            (
                0,
                EventKind::TaskScheduled {
                    name: "hello".into(),
                    version: None,
                    input: null(),
                    attempt: Attempt::ONLY,
                },
            ),
            (-1, EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() }),
            (-1, EventKind::OrchestratorStarted),
            (-1, EventKind::TaskCompleted { task: EventId::FIRST, result: null() }),
            (1, end),
            (-1, EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() }),
        ]
    }

    #[test]
    fn a_whole_history_has_no_flaw() {
        assert!(well_formed(&history(greets_once())).unwrap().is_empty());
        assert!(well_formed(&History::default()).unwrap().is_empty());
    }

    #[test]
    fn a_history_that_lacks_or_repeats_any_event_has_a_flaw() {
        for at in 0..greets_once().len() {
            let (mut lacks, mut repeats) = (greets_once(), greets_once());
            lacks.remove(at);
            repeats.insert(at, greets_once().swap_remove(at));
            // Without its end or an answer it is the history of a live instance, which is no flaw by itself.
            let is_flawed = |events| {
                let history = history(events);
                well_formed(&history).map_or(true, |open| !open.is_empty() || history.outcome().is_none())
            };
            assert!(is_flawed(lacks), "without event {at}");
            assert!(is_flawed(repeats), "with event {at} twice");
        }
    }

    #[test]
    fn an_answer_that_does_not_fit_what_it_answers_is_a_flaw() {
        let (task, result) = (EventId::FIRST, Payload::null());
        let mut events = greets_once();
        events[5].1 = EventKind::SubOrchestrationInstanceCompleted { task, result };
        let flaw = well_formed(&history(events)).unwrap_err();
        assert_eq!((flaw.at, flaw.event), (5, "SubOrchestrationInstanceCompleted"));
        assert!(flaw.what.contains("`TaskScheduled`"), "{flaw}");
    }
}
