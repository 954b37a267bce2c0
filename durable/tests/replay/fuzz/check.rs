//! One random program, run live and replayed from every prefix of its history.
//!
//! Begin with [`check`].

use std::sync::Arc;

use durable::{
    context::OrchestrationContext,
    entity::Sections,
    history::{EventKind, ExecutionStarted, HistoryEvent, Rest},
    model::Payload,
    replay::{EpisodeEnd, NextExecution, Orchestrator, Outcome, Session, SessionOptions},
};

use super::{
    aftermath::Aftermath,
    mutants::{FLUSH, Mutant, Tampered},
    program::{Part, Program, Trace, WORK, child},
    random::{Random, mix},
    world::World,
};
use crate::script::started;

/// What the check of one or many programs did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) programs: usize,
    pub(super) messages: usize,
    pub(super) actions: usize,
    pub(super) episodes: usize,
    pub(super) reloads: usize,
    pub(super) lost_checkpoints: usize,
    pub(super) cut_off: usize,
    pub(super) executions: usize,
    pub(super) carried: usize,
    pub(super) locks: usize,
    pub(super) terminated: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.messages += other.messages;
        self.actions += other.actions;
        self.episodes += other.episodes;
        self.reloads += other.reloads;
        self.lost_checkpoints += other.lost_checkpoints;
        self.cut_off += other.cut_off;
        self.executions += other.executions;
        self.carried += other.carried;
        self.locks += other.locks;
        self.terminated += other.terminated;
    }
}

/// A longer program is compared up to here.
const MOST_EPISODES: usize = 400;
/// How often a program continues as new at most.
const MOST_EXECUTIONS: u64 = 3;
/// So many episodes in a row in which the program sees nothing, although the world said all it had to say, mean that
/// a wake-up was lost.
const PATIENCE: usize = 40;

/// Everything that a live run and a replay must agree on.
#[derive(Debug, PartialEq, Eq)]
struct State {
    fingerprint: (u64, u64),
    trace: u64,
    outcome: Option<Outcome>,
}

struct Loaded {
    session: Session,
    trace: Trace,
}

/// One episode's rows and its end.
struct Episode {
    rows: Vec<HistoryEvent>,
    end: EpisodeEnd,
    /// What came after the end.
    left: Vec<EventKind>,
}

struct Check {
    seed: u64,
    mutant: Option<Mutant>,
    random: Random,
    moves_between_threads: bool,
    started: ExecutionStarted,
    stored: Vec<HistoryEvent>,
    /// What the next episode begins with.
    first: Vec<EventKind>,
    entities: Aftermath,
    tally: Tally,
}

/// Runs the program of `seed`.
///
/// # Errors
/// Says what live run and replay differ in, or what else went wrong.
pub(super) fn check(seed: u64, mutant: Option<Mutant>) -> Result<Tally, String> {
    let mut random = Random::new(mix(seed, 3));
    let moves_between_threads = random.below(64) == 0;
    let tally = Tally { programs: 1, ..Tally::default() };
    let (started, stored, first) = (started(), Vec::new(), Vec::new());
    let entities = Aftermath::new(seed, mutant);
    Check { seed, mutant, random, moves_between_threads, started, stored, first, entities, tally }.run()
}

impl Check {
    fn run(mut self) -> Result<Tally, String> {
        let mut world = World::new(self.seed);
        let mut live = self.load();
        let mut without_news = 0;
        while live.session.outcome().is_none() {
            if self.tally.episodes == MOST_EPISODES {
                self.tally.cut_off = 1;
                break;
            }
            let seen = live.trace.value();
            live = self.episode(live, &mut world)?;
            if let Some(Outcome::ContinuedAsNew(next)) = live.session.outcome().cloned() {
                self.tally.executions += 1;
                self.check_carried(&live, &next)?;
                self.release(&live)?;
                live = self.begin_anew(*next, &mut world);
                continue;
            }
            let is_stuck = world.is_exhausted() && live.trace.value() == seen;
            without_news = if is_stuck { without_news + 1 } else { 0 };
            if without_news > PATIENCE {
                return Err("a wake-up was lost: everything is answered, and the program waits".into());
            }
        }
        if live.session.outcome().is_some() {
            self.release(&live)?;
            self.tally.locks = self.entities.locks();
            self.entities.settle()?;
        }
        match live.session.outcome() {
            None | Some(Outcome::Completed(_)) => Ok(self.tally),
            Some(Outcome::Failed(failure)) => Err(format!("failed: {failure}")),
            Some(Outcome::Terminated(_)) if world.will_terminate() => {
                self.tally.terminated = 1;
                Ok(self.tally)
            }
            Some(Outcome::Terminated(_)) => Err("terminated by nobody".into()),
            Some(Outcome::ContinuedAsNew(_)) => unreachable!("the next execution has taken its place"),
        }
    }

    /// No external event is lost or doubled between two executions, and they keep their order.
    fn check_carried(&mut self, live: &Loaded, next: &NextExecution) -> Result<(), String> {
        self.tally.carried += next.carried.len();
        if self.mutant.is_some() {
            return Ok(());
        }
        let is_raised = |event: &&HistoryEvent| matches!(event.kind, EventKind::EventRaised { .. });
        let raised = self.stored.iter().filter(is_raised).count() as u64;
        if raised != live.trace.events() + next.carried.len() as u64 {
            let (seen, carried) = (live.trace.events(), next.carried.len());
            return Err(format!("of {raised} events, {seen} were observed and {carried} carried over"));
        }
        let numbers: Vec<u64> = next.carried.iter().map(|(_, data)| data.read().unwrap()).collect();
        if numbers.is_sorted() { Ok(()) } else { Err(format!("events were carried over as {numbers:?}")) }
    }

    /// What an execution asked entities for, and what its end owes them.
    fn release(&mut self, live: &Loaded) -> Result<(), String> {
        let at = crate::script::at(0);
        let releases = live.session.releases(at);
        let by_history = Sections::of(&self.stored).releases(&self.started, at);
        if releases.is_empty() != by_history.is_empty() {
            return Err(format!("releases {releases:?}, and by its history {by_history:?}"));
        }
        // They may differ: by its history, one that is suspended holds what the session has not been told.
        let releases = if self.random.chance(50) { releases } else { by_history };
        self.entities.live_through(&self.started, &self.stored, releases)
    }

    fn begin_anew(&mut self, next: NextExecution, world: &mut World) -> Loaded {
        world.begin_anew();
        let NextExecution { started, carried } = next;
        let mut first = vec![EventKind::ExecutionStarted(Box::new(started.clone()))];
        first.extend(carried.into_iter().map(|(name, input)| EventKind::EventRaised { name, input }));
        first.extend(self.first.drain(..).filter(|kind| kind.answers().is_none()));
        self.first = first;
        self.started = started;
        self.stored.clear();
        self.load()
    }

    fn episode(&mut self, mut live: Loaded, world: &mut World) -> Result<Loaded, String> {
        let now = world.time(self.tally.episodes as u64);
        let first =
            std::mem::take(&mut self.first).into_iter().map(|kind| (HistoryEvent::new(now, kind), false));
        let mut messages: Vec<_> = first.collect();
        let batch = world.batch().into_iter();
        messages.extend(batch.map(|kind| (HistoryEvent::new(now, kind), world.insists())));
        if self.mutant.is_some() {
            let flush = EventKind::EventRaised { name: FLUSH, input: Payload::of(&0).unwrap() };
            messages.push((HistoryEvent::new(now, flush), true));
        }
        let before = state(&live);
        let mut done = self.run_episode(&mut live, now, &messages);
        if self.random.chance(6) {
            self.tally.lost_checkpoints += 1;
            let lost = (state(&live), done);
            live = self.load();
            self.agree("after a lost checkpoint, before the episode", &before, &state(&live))?;
            done = self.run_episode(&mut live, now, &messages);
            self.agree("after a lost checkpoint, after the episode", &lost.0, &state(&live))?;
            if lost.1.rows != done.rows || lost.1.end.custom_status != done.end.custom_status {
                return Err(format!("another checkpoint: {:?}\n{:?}", lost.1.end, done.end));
            }
        }
        self.tally.episodes += 1;
        self.tally.messages += messages.len();
        self.tally.actions += done.end.actions.len();
        self.stored.extend(done.rows);
        self.first = done.left;
        let replayed = self.load();
        self.agree("after replay", &state(&live), &state(&replayed))?;
        world.learn(&done.end);
        if self.random.chance(15) {
            self.tally.reloads += 1;
            return Ok(replayed);
        }
        Ok(live)
    }

    fn agree(&self, when: &str, lived: &State, replayed: &State) -> Result<(), String> {
        if lived == replayed {
            return Ok(());
        }
        let episode = self.tally.episodes;
        Err(format!("{when}, episode {episode}\n  lived:    {lived:?}\n  replayed: {replayed:?}"))
    }

    /// A session that stands where the stored history ends.
    fn load(&self) -> Loaded {
        let trace = Trace::default();
        let orchestrator = orchestrator(self.seed, self.mutant, trace.clone());
        let options = SessionOptions { verify: true, ..SessionOptions::default() };
        let mut session = Session::new(self.started.clone(), orchestrator, options);
        session.replay(&self.stored);
        Loaded { session, trace }
    }

    fn run_episode(
        &self,
        live: &mut Loaded,
        now: durable::model::Timestamp,
        messages: &[(HistoryEvent, bool)],
    ) -> Episode {
        live.session.begin_episode(now);
        let mut rows = vec![HistoryEvent::new(live.session.now(), EventKind::OrchestratorStarted)];
        let mut left = Vec::new();
        for (number, (message, insists)) in messages.iter().enumerate() {
            if let Some(Outcome::ContinuedAsNew(_)) = live.session.outcome() {
                left.push(message.kind.clone());
                continue;
            }
            if live.session.outcome().is_some() || !(live.session.expects(message) || *insists) {
                continue;
            }
            let is_dropped = self.mutant == Some(Mutant::EventDropped) && number % 9 == 8;
            if !is_dropped {
                self.apply(&mut live.session, message);
            }
            rows.push(message.clone());
        }
        let end = live.session.end_episode();
        rows.extend(end.actions.iter().cloned().map(|action| action.into_event(now)));
        rows.push(HistoryEvent::new(
            now,
            EventKind::OrchestratorCompleted { digest: Some(end.digest), rest: Rest::default() },
        ));
        Episode { rows, end, left }
    }

    fn apply(&self, session: &mut Session, message: &HistoryEvent) {
        if self.moves_between_threads {
            std::thread::scope(|scope| {
                scope.spawn(|| session.apply(message)).join().expect("the engine lets no panic out");
            });
        } else {
            session.apply(message);
        }
    }
}

fn state(loaded: &Loaded) -> State {
    State {
        fingerprint: loaded.session.fingerprint(),
        trace: loaded.trace.value(),
        outcome: loaded.session.outcome().cloned(),
    }
}

fn orchestrator(seed: u64, mutant: Option<Mutant>, trace: Trace) -> Orchestrator {
    Arc::new(move |handle, input| {
        let execution: u64 = input.read().unwrap_or_default();
        let seed = mix(seed, execution);
        let context = OrchestrationContext::new(handle.clone());
        let program = Arc::new(Program { handle, context, trace: trace.clone(), mutant });
        let part = Part::root(program.clone(), seed);
        let goes_on = execution < MOST_EXECUTIONS && Random::new(mix(seed, 5)).chance(12);
        let root_of = program.clone();
        let root = Box::pin(async move {
            let value = part.run().await;
            if goes_on {
                root_of.handle.continue_as_new(child(WORK, execution + 1));
            }
            Ok(Payload::of(&value)?)
        });
        match mutant {
            None => root,
            Some(mutant) => Box::pin(Tampered::new(program, mutant, root)),
        }
    })
}
