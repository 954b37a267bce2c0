//! Executions that follow one another within an episode: continue-as-new. Pure.
//!
//! The next execution begins in the episode in which the one before ended, so that one checkpoint
//! replaces the history, and no event stands between two executions. Begin with [`Succession`].

use std::collections::VecDeque;

use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent},
    model::{Failure, FailureKind, Timestamp},
    replay::{NextExecution, Session},
};

/// The worker has no function for the execution that is to be next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhandled(pub Box<ExecutionStarted>);

/// An episode in which so many executions follow one another, none of which waits for anything or
/// takes an event, will never end.
const MOST_IN_VAIN: u32 = 100_000;

/// The executions of one episode.
pub(super) struct Succession<'a> {
    begin: &'a dyn Fn(&ExecutionStarted) -> Option<Session>,
    /// How many there were since one took an event.
    in_vain: u32,
    carried: usize,
}

impl<'a> Succession<'a> {
    pub(super) fn new(begin: &'a dyn Fn(&ExecutionStarted) -> Option<Session>) -> Self {
        Self { begin, in_vain: 0, carried: usize::MAX }
    }

    /// Begins the `next` execution with the events that are carried over, until they are used up or it
    /// ends as well. Gives its history so far.
    pub(super) fn follow(
        &mut self,
        session: &mut Session,
        next: NextExecution,
        now: Timestamp,
    ) -> Result<Vec<HistoryEvent>, Unhandled> {
        let NextExecution { started, carried } = next;
        self.in_vain = if carried.len() < self.carried { 0 } else { self.in_vain + 1 };
        self.carried = carried.len();
        let Some(successor) = (self.begin)(&started) else { return Err(Unhandled(Box::new(started))) };
        *session = successor;
        session.begin_episode(now);
        if self.in_vain > MOST_IN_VAIN {
            session.fail(never_waits(session.started()));
        }
        let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
        let start = HistoryEvent::new(now, EventKind::ExecutionStarted(Box::new(started)));
        let raised = carried.into_iter().map(|(name, input)| EventKind::EventRaised { name, input });
        let mut waiting: VecDeque<_> = raised.map(|kind| HistoryEvent::new(now, kind)).collect();
        waiting.push_front(start);
        while let Some(event) = waiting.pop_front() {
            session.apply(&event);
            events.push(event);
            if session.outcome().is_some() {
                break;
            }
        }
        session.carry(waiting.into_iter().map(|event| event.kind));
        Ok(events)
    }
}

fn never_waits(started: &ExecutionStarted) -> Failure {
    let message = format!(
        "error[DF1010]: orchestration `{}` continued as new {MOST_IN_VAIN} times without waiting for anything\n\
         help: an execution must await a call, a timer or an event before it continues as new",
        started.instance
    );
    Failure::of_kind(FailureKind::Nondeterministic, "ContinuesForEver", message)
}
