//! One random program, run live and replayed from every prefix of its history.
//!
//! Begin with [`check`].

use std::sync::Arc;

use durable::{
    history::{EventKind, HistoryEvent},
    model::Payload,
    replay::{EpisodeEnd, Orchestrator, Outcome, Session, SessionOptions},
};

use super::{
    mutants::{FLUSH, Mutant, Tampered},
    program::{Part, Program, Trace},
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
    }
}

/// A longer program is compared up to here.
const MOST_EPISODES: usize = 400;
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
}

struct Check {
    seed: u64,
    mutant: Option<Mutant>,
    random: Random,
    moves_between_threads: bool,
    stored: Vec<HistoryEvent>,
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
    Check { seed, mutant, random, moves_between_threads, stored: Vec::new(), tally }.run()
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
            let is_stuck = world.is_exhausted() && live.trace.value() == seen;
            without_news = if is_stuck { without_news + 1 } else { 0 };
            if without_news > PATIENCE {
                return Err("a wake-up was lost: everything is answered, and the program waits".into());
            }
        }
        match live.session.outcome() {
            None | Some(Outcome::Completed(_)) => Ok(self.tally),
            Some(Outcome::Failed(failure)) => Err(format!("failed: {failure}")),
            Some(Outcome::Terminated(_)) => Err("terminated by nobody".into()),
            Some(Outcome::ContinuedAsNew(_)) => Err("continued as new by nobody".into()),
        }
    }

    fn episode(&mut self, mut live: Loaded, world: &mut World) -> Result<Loaded, String> {
        let now = world.time(self.tally.episodes as u64);
        let mut messages: Vec<_> =
            world.batch().into_iter().map(|kind| (HistoryEvent::new(now, kind), world.insists())).collect();
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
        let mut session = Session::new(started(), orchestrator, options);
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
        for (number, (message, insists)) in messages.iter().enumerate() {
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
        rows.push(HistoryEvent::new(now, EventKind::OrchestratorCompleted { digest: Some(end.digest) }));
        Episode { rows, end }
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
    Arc::new(move |handle, _input| {
        let program = Arc::new(Program { handle, trace: trace.clone(), mutant });
        let part = Part::root(program.clone(), seed);
        let root = Box::pin(async move { Ok(Payload::of(&part.run().await)?) });
        match mutant {
            None => root,
            Some(mutant) => Box::pin(Tampered::new(program, mutant, root)),
        }
    })
}
