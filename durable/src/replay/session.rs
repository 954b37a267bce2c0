//! One loaded execution: applies events, polls the orchestrator, tells what it asked for.
//!
//! Begin with [`Session::apply`]: one event, one resume.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use futures::future::BoxFuture;
use tracing::Dispatch;

use super::{
    EpisodeEnd, Handle, NextExecution, Orchestrator, Outcome, SessionOptions,
    answers::{answered, completion},
    mismatch,
    shared::Shared,
};
use crate::{
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{Failure, InstanceId, Payload, Timestamp},
};

/// One execution in memory: the suspended orchestrator, and what it waits for.
///
/// Give it events between [`begin_episode`](Self::begin_episode) and
/// [`end_episode`](Self::end_episode), or a whole history to [`replay`](Self::replay). Dropping it
/// unloads it, which has no effect on the orchestration.
pub struct Session {
    pub(super) shared: Arc<Shared>,
    waker: Waker,
    orchestrator: Orchestrator,
    pub(super) root: Root,
    /// Messages that wait for `ExecutionResumed`; `None` when the instance is not suspended.
    held: Option<VecDeque<HistoryEvent>>,
    polls: u64,
    pub(super) episodes: usize,
    /// The sub-orchestrations that are to be ended with this one.
    ended_children: Vec<InstanceId>,
    /// The first input that differed on replay, to be reported once.
    pub(super) other_input: Option<Failure>,
}

/// How far the orchestrator is.
pub(super) enum Root {
    /// Before its `ExecutionStarted`.
    New,
    Running(BoxFuture<'static, Result<Payload, Failure>>),
    /// Returned; the execution ends when nothing it asked for is open (DECISIONS 8).
    Returned(Result<Payload, Failure>),
    Ended(Outcome),
}

/// A resume that wakes itself more often is an error: it would never end.
const MOST_POLLS: u64 = 1_000_000;

impl Session {
    /// A session that has seen nothing yet.
    pub fn new(started: ExecutionStarted, orchestrator: Orchestrator, options: SessionOptions) -> Self {
        let shared = Arc::new(Shared::new(Arc::new(started), options));
        Self {
            waker: shared.clone().into(),
            shared,
            orchestrator,
            root: Root::New,
            held: None,
            polls: 0,
            episodes: 0,
            ended_children: Vec::new(),
            other_input: None,
        }
    }

    /// How the execution began.
    pub fn started(&self) -> &ExecutionStarted {
        &self.shared.started
    }

    /// The execution's end, if it has ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.root {
            Root::Ended(outcome) => Some(outcome),
            Root::New | Root::Running(_) | Root::Returned(_) => None,
        }
    }

    /// How many episodes it has seen.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Begins an episode: `now` is the time user code sees from here on, unless it saw a later one.
    pub fn begin_episode(&mut self, now: Timestamp) {
        self.episodes += 1;
        let mut journal = self.shared.journal();
        journal.now = journal.now.max(now);
    }

    /// The time user code sees.
    pub fn now(&self) -> Timestamp {
        self.shared.journal().now
    }

    /// Whether `event` says something new. `false` for a second start, for the answer to a task that
    /// was answered, cancelled, or never asked for, and for all that comes after the end: such a
    /// message is late or double, and is to be dropped (R1:ORCH-21, SKIP-33).
    pub fn expects(&self, event: &HistoryEvent) -> bool {
        if matches!(self.root, Root::Ended(_)) {
            return false;
        }
        match &event.kind {
            EventKind::ExecutionStarted(_) => matches!(self.root, Root::New),
            // Addressed to entities, of which this is none.
            EventKind::EntityRequested(_) => false,
            // Only what has failed is rewound, and that is not done by its orchestrator.
            EventKind::ExecutionRewound { .. } => false,
            kind => match answered(kind) {
                Some((id, task)) => self.shared.journal().awaits(id, task) && !self.holds_answer_to(id),
                None => kind.is_message(),
            },
        }
    }

    fn holds_answer_to(&self, task: EventId) -> bool {
        self.held.iter().flatten().any(|event| event.kind.answers() == Some(task))
    }

    /// Takes one message: completes what it answers, and lets the orchestrator run until it rests.
    /// An event that completes nothing polls nothing.
    pub fn apply(&mut self, event: &HistoryEvent) {
        // Before the poll, which would let user code see what woke it.
        self.check_outside();
        if matches!(self.root, Root::Ended(_)) {
            return;
        }
        match &event.kind {
            EventKind::ExecutionTerminated { reason, recursive } => {
                if *recursive {
                    self.ended_children = self.children();
                }
                self.end(Outcome::Terminated(reason.clone()));
            }
            EventKind::ExecutionSuspended { .. } => {
                self.held.get_or_insert_default();
            }
            EventKind::ExecutionResumed { .. } => {
                for event in self.held.take().unwrap_or_default() {
                    self.deliver_or_carry(&event);
                }
            }
            _ => match &mut self.held {
                Some(held) => held.push_back(event.clone()),
                None => self.deliver(event),
            },
        }
        self.check_outside();
    }

    /// The sub-orchestrations that have not answered. Of one whose answer is held, the id may be another's.
    fn children(&self) -> Vec<InstanceId> {
        let journal = self.shared.journal();
        let open = journal.children().iter().filter(|(task, _)| !self.holds_answer_to(**task));
        open.map(|(_, child)| child.clone()).collect()
    }

    /// What comes after the end is of no account, but for an external event that the next execution may
    /// await, after those that it is given already.
    fn deliver_or_carry(&mut self, event: &HistoryEvent) {
        match (&mut self.root, &event.kind) {
            (Root::Ended(Outcome::ContinuedAsNew(next)), EventKind::EventRaised { name, input }) => {
                next.carried.push((name.clone(), input.clone()));
            }
            (Root::Ended(_), _) => {}
            _ => self.deliver(event),
        }
    }

    fn deliver(&mut self, event: &HistoryEvent) {
        let shared = self.shared.clone();
        let _resuming = shared.resume();
        shared.journal().sections.observe(event.id, &event.kind);
        let waker = match &event.kind {
            EventKind::ExecutionStarted(started) => {
                self.start(started.input.clone());
                None
            }
            EventKind::EventRaised { name, input } => shared.journal().raise(name, input.clone()),
            kind => {
                answered(kind).and_then(|(id, task)| shared.journal().complete(id, task, completion(kind)))
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.poll_until_rest();
        self.end_if_nothing_is_open();
    }

    fn start(&mut self, input: Payload) {
        if !matches!(self.root, Root::New) {
            return;
        }
        let handle = Handle::new(self.shared.clone());
        let _entered = futures::executor::enter();
        match catch_unwind(AssertUnwindSafe(|| (self.orchestrator)(handle, input))) {
            Ok(future) => {
                self.root = Root::Running(future);
                self.shared.request_poll();
            }
            Err(panic) => self.root = Root::Returned(Err(mismatch::panicked(&*panic))),
        }
    }

    fn poll_until_rest(&mut self) {
        let _entered = futures::executor::enter();
        let mut polls = 0;
        while self.shared.take_woken() {
            let Root::Running(future) = &mut self.root else { return };
            polls += 1;
            self.polls += 1;
            if polls > MOST_POLLS {
                self.end(Outcome::Failed(mismatch::spins(&self.shared.started.instance, MOST_POLLS)));
                return;
            }
            let mut cx = Context::from_waker(&self.waker);
            match catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(&mut cx))) {
                Ok(std::task::Poll::Pending) => {}
                Ok(std::task::Poll::Ready(result)) => self.returned(result),
                Err(panic) => self.returned(Err(mismatch::panicked(&*panic))),
            }
        }
        if polls > 0 && matches!(self.root, Root::Running(_)) && !self.shared.journal().can_be_woken() {
            let failure = mismatch::nothing_to_wait_for(&self.shared.started.instance);
            self.shared.journal().fail(|| failure);
        }
        let fault = self.shared.journal().fault.take();
        if let Some(failure) = fault {
            self.end(Outcome::Failed(failure));
        }
    }

    /// The orchestrator is done. What it still held is dropped as by its own hand.
    fn returned(&mut self, result: Result<Payload, Failure>) {
        let limit = self.shared.options.max_payload;
        let result = result.and_then(|output| output.within(limit, "the output of the orchestrator"));
        if let Root::Running(future) = std::mem::replace(&mut self.root, Root::Returned(result)) {
            drop_caught(future);
        }
    }

    fn end_if_nothing_is_open(&mut self) {
        if !matches!(self.root, Root::Returned(_)) {
            return;
        }
        let next = self.shared.journal().next_execution.take();
        if let Some(next) = next {
            let carried = self.shared.journal().inbox.take_unobserved();
            let started = next.into_next(&self.shared.started);
            self.end(Outcome::ContinuedAsNew(Box::new(NextExecution { started, carried })));
            return;
        }
        if matches!(self.root, Root::Returned(_)) && !self.shared.journal().has_open_tasks() {
            let Root::Returned(result) = std::mem::replace(&mut self.root, Root::New) else { return };
            self.end(match result {
                Ok(output) => Outcome::Completed(output),
                Err(failure) => Outcome::Failed(failure),
            });
        }
    }

    /// A wake from outside the history is an error: on replay it would not come.
    fn check_outside(&mut self) {
        if self.shared.was_woken_from_outside() && !matches!(self.root, Root::Ended(_)) {
            let fault = self.shared.journal().fault.take();
            let failure =
                fault.unwrap_or_else(|| mismatch::woken_from_outside(&self.shared.started.instance));
            self.end(Outcome::Failed(failure));
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        self.unload();
        let status = outcome.status();
        let completed = |result, failure| EventKind::ExecutionCompleted { status, result, failure };
        let kind = match &outcome {
            Outcome::Completed(output) => completed(output.clone(), None),
            Outcome::Failed(failure) => completed(Payload::null(), Some(failure.clone())),
            Outcome::Terminated(reason) => completed(Payload::of(reason).unwrap_or_default(), None),
            Outcome::ContinuedAsNew(next) => EventKind::ContinueAsNew { input: next.started.input.clone() },
        };
        self.shared.journal().act(kind, std::panic::Location::caller());
        self.root = Root::Ended(outcome);
    }

    /// Ends the episode and takes what it made.
    pub fn end_episode(&mut self) -> EpisodeEnd {
        self.check_outside();
        let mut journal = self.shared.journal();
        let mut cancelled_timers = std::mem::take(&mut journal.cancelled);
        cancelled_timers.sort_unstable();
        let awaited_events: Vec<_> = journal.inbox.waiting(0).map(|(event, _)| event.clone()).collect();
        EpisodeEnd {
            actions: std::mem::take(&mut journal.made),
            cancelled_timers,
            custom_status: journal.custom_status.take(),
            awaited_events,
            digest: journal.digest.value(),
            ended_children: std::mem::take(&mut self.ended_children),
            outcome: self.outcome().cloned(),
            is_suspended: self.held.is_some(),
        }
    }

    /// Ends the execution as failed for a reason the engine found outside of it.
    pub fn fail(&mut self, failure: Failure) {
        if !matches!(self.root, Root::Ended(_)) {
            self.end(Outcome::Failed(failure));
        }
    }

    /// What is to be sent when the execution has ended, so that no lock stays behind.
    pub fn releases(&self, at: Timestamp) -> Vec<TaskMessage> {
        self.shared.journal().sections.releases(&self.shared.started, at)
    }

    /// A hash of where the session stands: equal for two runs of one history.
    pub fn fingerprint(&self) -> (u64, u64) {
        (self.shared.journal().fingerprint(), self.polls)
    }

    /// A rough count of the bytes it holds, for whoever bounds memory.
    pub fn weight(&self) -> usize {
        1536 + 256 * self.shared.journal().size() + self.held.as_ref().map_or(0, |held| held.len() * 256)
    }

    /// Takes the orchestrator out of memory without any effect: its handles and wakers are made
    /// inert first, then user drop code runs, then cycles are broken (replay rule 9).
    fn unload(&mut self) {
        self.shared.die();
        if let Root::Running(future) = std::mem::replace(&mut self.root, Root::New) {
            drop_caught(future);
        }
        let wakers = self.shared.journal().clear();
        drop(wakers);
    }
}

/// Drops a future of the user's; a panic in its drop code stays there.
fn drop_caught(future: BoxFuture<'static, Result<Payload, Failure>>) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
        let message = crate::model::panic_message(&*panic);
        tracing::warn!(message, "drop code of an orchestrator panicked");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !matches!(self.root, Root::Ended(_)) {
            tracing::dispatcher::with_default(&Dispatch::none(), || self.unload());
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("instance", &self.shared.started.instance)
            .field("episodes", &self.episodes)
            .finish_non_exhaustive()
    }
}
