//! An orchestrator against a written history: given this, when that arrives, it asks for those.
//!
//! Needs no store, no worker and no runtime. Everything that is run live is replayed as well, so
//! that a test of behaviour is a test of determinism too. Begin with [`replay`].

use std::{fmt, sync::Arc};

use durable::{
    context::OrchestrationContext,
    history::{EventKind, ExecutionStarted, History, HistoryEvent},
    model::{Failure, FailureKind, FunctionName, FunctionVersion},
    registry::{Definition, OrchestratorFn, Registry},
    replay::{Action, EpisodeEnd, Orchestrator, Outcome, Session, SessionOptions},
};

use crate::{
    chronicle::Chronicle,
    history::{Fact, describe},
    orchestrator::IntoOrchestrator,
};

/// Puts an orchestrator to the test: a function or a closure, with its context and up to four
/// inputs, that returns a `Result`.
///
/// ```
/// use durable::{call::Call, context::OrchestrationContext, model::Failure};
/// use durable_testkit::{history::{complete, completed, scheduled, started}, replay};
///
/// async fn greet_once(ctx: OrchestrationContext, name: String) -> Result<String, Failure> {
///     ctx.call(Call::<String>::activity("greet", name)).await
/// }
///
/// replay(greet_once)
///     .history([started("Ada"), scheduled(0, "greet")])
///     .then([completed(0, "hello Ada")])
///     .asks_for([complete("hello Ada")]);
///
/// replay(greet_once).history([started("Ada"), scheduled(0, "salute")]).is_refused_at(0);
/// ```
#[must_use = "nothing is checked until `asks_for`, `is_refused_at` or `fails_with`"]
pub fn replay<M>(orchestrator: impl IntoOrchestrator<M>) -> Replay {
    Replay::new(orchestrator.into_orchestrator())
}

/// Puts an annotated orchestrator to the test: `replay_of::<greet_once>()`. Its inputs are read and
/// its output is written as a worker does it.
///
/// # Panics
/// When `D` is no orchestrator.
#[must_use = "nothing is checked until `asks_for`, `is_refused_at` or `fails_with`"]
#[track_caller]
pub fn replay_of<D: Definition>() -> Replay {
    Replay::new(annotated::<D>())
}

/// Replays a history that was recorded from the orchestrator `D`, strictly: what it asks for, with
/// which inputs, and what it observed in which order must be what is recorded.
///
/// # Errors
/// The failure of the replay, which says where the paths part. Nothing is an error that the
/// history itself ended with.
///
/// # Panics
/// When `D` is no orchestrator, or the history does not hold a start.
#[track_caller]
pub fn replay_check<D: Definition>(history: &History) -> Result<(), Failure> {
    let started = history.started().expect("a recorded history holds an `ExecutionStarted`").clone();
    let mut session = Session::new(started, annotated::<D>(), options(true));
    session.replay(history.events());
    let recorded = history.events().iter().rev().find_map(|event| match &event.kind {
        EventKind::ExecutionCompleted { failure, .. } => failure.as_ref(),
        _ => None,
    });
    match session.outcome() {
        Some(Outcome::Failed(failure)) if Some(failure) != recorded => Err(failure.clone()),
        _ => Ok(()),
    }
}

#[track_caller]
fn annotated<D: Definition>() -> Orchestrator {
    let registry = Registry::builder().add::<D>().build().expect("one function clashes with nothing");
    let name = FunctionName::literal(D::REGISTRATION.name());
    let version = D::REGISTRATION.version().map(FunctionVersion::literal);
    let function = registry.orchestrator(&name, version.as_ref()).cloned();
    erase(function.unwrap_or_else(|| panic!("`{name}` is no orchestrator")))
}

fn erase(function: OrchestratorFn) -> Orchestrator {
    Arc::new(move |handle, input| function(OrchestrationContext::new(handle), input))
}

fn options(verify: bool) -> SessionOptions {
    SessionOptions { verify, ..SessionOptions::default() }
}

/// An orchestrator under test, standing at the end of what it was told so far.
pub struct Replay {
    orchestrator: Orchestrator,
    chronicle: Chronicle,
    session: Option<Session>,
    is_exact: bool,
    last: Option<EpisodeEnd>,
}

impl Replay {
    fn new(orchestrator: Orchestrator) -> Self {
        Self { orchestrator, chronicle: Chronicle::new(), session: None, is_exact: true, last: None }
    }

    /// Given this past. Inputs that are said are compared as well.
    ///
    /// # Panics
    /// When it could never have come about, see [`written`](crate::history::written).
    #[must_use = "nothing is checked until `asks_for`, `is_refused_at` or `fails_with`"]
    #[track_caller]
    pub fn history(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        for fact in facts {
            self.is_exact &= fact.is_exact();
            self.chronicle.add(&fact);
        }
        self.chronicle.close(None);
        self.session = Some(self.replayed());
        self
    }

    /// When these messages arrive, in one episode. What is late or double is dropped, as a worker
    /// does.
    ///
    /// # Panics
    /// When the orchestrator, replayed, does not come to stand where it stands: it is not
    /// deterministic. When the first message ever is not `started`.
    #[must_use = "nothing is checked until `asks_for`, `is_refused_at` or `fails_with`"]
    #[track_caller]
    pub fn then(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        let kinds: Vec<_> = facts.into_iter().map(|fact| self.chronicle.event_of(&fact).1).collect();
        let Some(first) = kinds.first() else { return self };
        let mut session = match (self.session.take(), first) {
            (Some(session), _) => session,
            (None, EventKind::ExecutionStarted(started)) => self.session_of((**started).clone()),
            (None, other) => panic!("an orchestration begins with `started`, not with {}", other.name()),
        };
        self.chronicle.begin(first);
        session.begin_episode(self.chronicle.now);
        for kind in kinds {
            let event = HistoryEvent::new(self.chronicle.now, kind);
            if session.expects(&event) {
                session.apply(&event);
                self.chronicle.hear(event);
            }
        }
        let end = session.end_episode();
        for action in &end.actions {
            self.chronicle.act(action.clone().into_event(self.chronicle.now));
        }
        self.chronicle.close(Some(end.digest));
        self.insist_on_determinism(&session);
        self.last = Some(end);
        self.session = Some(session);
        self
    }

    /// It asks for exactly these things, in this order; for nothing, after a history alone.
    ///
    /// # Panics
    /// When it asks for anything else; the message shows both sides.
    #[track_caller]
    pub fn asks_for(self, expected: impl IntoIterator<Item = Fact>) -> Self {
        if let (None, Some(failure)) = (&self.last, self.failure()) {
            panic!("the history was refused: {failure}");
        }
        let expected: Vec<_> = expected.into_iter().collect();
        let made = self.last.as_ref().map_or(&[][..], |end| &end.actions);
        let now = self.chronicle.now;
        let fits = |(fact, action): (&Fact, &Action)| fact.is(action.id, &action.kind, now);
        let is_same = expected.len() == made.len() && expected.iter().zip(made).all(fits);
        assert!(is_same, "the orchestrator asked for something else\n{}", Comparison(&expected, made, &fits));
        self
    }

    /// Its replay is refused at the recorded action of that number.
    ///
    /// # Panics
    /// When it is not refused, or elsewhere.
    #[track_caller]
    pub fn is_refused_at(self, event: i32) -> Self {
        let failure = self.refusal();
        let place = format!("event {event}:");
        assert!(failure.message().contains(&place), "it was refused, but not at event {event}: {failure}");
        self
    }

    /// Its replay is refused, wherever: it asks for more than is recorded, or observed something else.
    ///
    /// # Panics
    /// When it is not refused.
    #[track_caller]
    pub fn is_refused(self) -> Self {
        self.refusal();
        self
    }

    /// It fails in this way.
    ///
    /// # Panics
    /// When it does not fail, or in another way.
    #[track_caller]
    pub fn fails_with(self, kind: FailureKind) -> Self {
        match self.failure() {
            Some(failure) => assert_eq!(failure.kind(), kind, "it failed in another way: {failure}"),
            None => panic!("it did not fail; its outcome is {:?}", self.outcome()),
        }
        self
    }

    /// What was told and asked so far, as a store would keep it.
    pub fn recorded(&self) -> History {
        History::new(self.chronicle.events.clone())
    }

    #[track_caller]
    fn refusal(&self) -> &Failure {
        match self.failure() {
            Some(failure) if failure.kind() == FailureKind::Nondeterministic => failure,
            _ => panic!("its replay was not refused; its outcome is {:?}", self.outcome()),
        }
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.session.as_ref().and_then(Session::outcome)
    }

    fn failure(&self) -> Option<&Failure> {
        match self.outcome() {
            Some(Outcome::Failed(failure)) => Some(failure),
            Some(Outcome::Completed(_) | Outcome::Terminated(_) | Outcome::ContinuedAsNew(_)) | None => None,
        }
    }

    fn session_of(&self, started: ExecutionStarted) -> Session {
        Session::new(started, self.orchestrator.clone(), options(self.is_exact))
    }

    fn replayed(&self) -> Session {
        let history = self.recorded();
        let started = history.started().expect("a history begins with `started`").clone();
        let mut session = self.session_of(started);
        session.replay(history.events());
        session
    }

    #[track_caller]
    fn insist_on_determinism(&self, live: &Session) {
        let replayed = self.replayed();
        let is_same = replayed.outcome() == live.outcome() && replayed.fingerprint() == live.fingerprint();
        assert!(
            is_same,
            "the orchestrator is not deterministic: it came to {:?} live, and to {:?} when replayed",
            live.outcome(),
            replayed.outcome()
        );
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Both sides, line by line.
struct Comparison<'a, F>(&'a [Fact], &'a [Action], &'a F);

impl<F: Fn((&Fact, &Action)) -> bool> fmt::Display for Comparison<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(expected, made, fits) = self;
        for line in 0..expected.len().max(made.len()) {
            let (fact, action) = (expected.get(line), made.get(line));
            let asked = action.map(|action| {
                let line = describe(action.id, &action.kind);
                format!("{line}, at {}", action.location)
            });
            match (fact, action) {
                (Some(fact), Some(action)) if fits((fact, action)) => writeln!(f, "    {fact}")?,
                _ => {
                    writeln!(f, "  - {}", fact.map_or_else(|| "nothing more".to_owned(), Fact::to_string))?;
                    writeln!(f, "  + {}", asked.unwrap_or_else(|| "nothing more".to_owned()))?;
                }
            }
        }
        f.write_str("(- expected, + asked for)")
    }
}
