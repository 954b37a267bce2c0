//! Executions that follow one another within an episode: continue-as-new. Pure.
//!
//! The next execution begins in the episode in which the one before ended, so that one checkpoint
//! replaces the history, and no event stands between two executions. Begin with [`Succession`].

use std::collections::VecDeque;

use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent},
    model::{EventName, Failure, FailureKind, Payload, Timestamp},
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
    /// How many there were since one was given anything.
    in_vain: u32,
    /// The events that are carried over. Kept here and not handed from one execution to the next: each may
    /// take one of many thousands.
    carried: VecDeque<(EventName, Payload)>,
    /// How many events the execution of the moment began with.
    left: usize,
}

impl<'a> Succession<'a> {
    pub(super) fn new(begin: &'a dyn Fn(&ExecutionStarted) -> Option<Session>) -> Self {
        Self { begin, in_vain: 0, carried: VecDeque::new(), left: usize::MAX }
    }

    /// Takes note that the execution of the moment was given something that came from outside.
    pub(super) fn hear(&mut self) {
        self.in_vain = 0;
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
        for event in carried.into_iter().rev() {
            self.carried.push_front(event);
        }
        self.in_vain = if self.carried.len() < self.left { 0 } else { self.in_vain + 1 };
        self.left = self.carried.len();
        let Some(successor) = (self.begin)(&started) else { return Err(Unhandled(Box::new(started))) };
        *session = successor;
        session.begin_episode(now);
        if self.in_vain > MOST_IN_VAIN {
            session.fail(never_waits(session.started()));
        }
        let start = HistoryEvent::new(now, EventKind::ExecutionStarted(Box::new(started)));
        session.apply(&start);
        let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted), start];
        while session.outcome().is_none()
            && let Some((name, input)) = self.carried.pop_front()
        {
            let event = HistoryEvent::new(now, EventKind::EventRaised { name, input });
            session.apply(&event);
            events.push(event);
        }
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
