//! Random programs of nested combinators in a random world: live runs and replays must agree.
//!
//! `DURABLE_FUZZ_PROGRAMS` says how many, `DURABLE_FUZZ_SEED` where to begin; a failure prints the
//! seed of its program. Begin with `check.rs` for what is compared, `shapes.rs` for what programs
//! are made of.

mod aftermath;
mod branches;
mod check;
mod entities;
mod joins;
mod locks;
mod mutants;
mod program;
mod races;
mod random;
mod shapes;
mod streams;
mod tasks;
mod world;

use check::{Tally, check};
use mutants::Mutant;

const PROGRAMS: u64 = 20_000;
const SEED: u64 = 0x5eed;
const THREADS: u64 = 2;

#[expect(
    clippy::disallowed_methods,
    reason = "how long to fuzz is asked for from outside, and changes no code"
)]
fn asked(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`"))
}

// R1:ORCH-14, R1:ORCH-16, R1:ORCH-17, R1:CC-1, R1:CC-17, R1:CC-18
#[test]
fn random_programs_reach_the_same_state_live_and_replayed_from_every_prefix() {
    let (programs, first) = (asked("DURABLE_FUZZ_PROGRAMS", PROGRAMS), asked("DURABLE_FUZZ_SEED", SEED));
    let total = std::thread::scope(|scope| {
        let share = |thread| {
            let mut tally = Tally::default();
            for seed in (first..first + programs).skip(thread).step_by(THREADS as usize) {
                match check(seed, None) {
                    Ok(one) => tally.add(one),
                    Err(difference) => panic!(
                        "program {seed}: {difference}\nrepeat: DURABLE_FUZZ_SEED={seed} DURABLE_FUZZ_PROGRAMS=1 \
                         cargo test -p durable --test replay random_programs"
                    ),
                }
            }
            tally
        };
        let threads: Vec<_> =
            (0..THREADS as usize).map(|thread| scope.spawn(move || share(thread))).collect();
        let mut total = Tally::default();
        threads
            .into_iter()
            .for_each(|thread| total.add(thread.join().expect("the difference is printed above")));
        total
    });
    println!("{total:?}");
    assert_eq!(total.programs as u64, programs);
}

/// How many programs a broken engine may survive.
fn programs_until_noticed(mutant: Mutant, most: u64) -> Option<u64> {
    (0..most).find(|seed| check(SEED + seed, Some(mutant)).is_err())
}

#[test]
fn the_wrapper_of_the_mutants_alone_breaks_nothing() {
    assert_eq!(programs_until_noticed(Mutant::Nothing, 300), None);
}

#[test]
fn every_broken_engine_is_noticed() {
    let few = [
        Mutant::SpuriousPolls,
        Mutant::WakeSkipped,
        Mutant::EventDropped,
        Mutant::BatchBeforePolling,
        Mutant::FirstWakerKept,
        Mutant::NoSelfWakeLoop,
    ];
    for mutant in few {
        let programs = programs_until_noticed(mutant, 500);
        println!("{mutant:?}: noticed after {programs:?}");
        assert!(programs.is_some(), "{mutant:?} was not noticed");
    }
}

// R2:ENT-51, R2:ENT-69
#[test]
fn every_engine_that_leaves_locks_behind_is_noticed() {
    for mutant in [Mutant::LocksKeptAtTheEnd, Mutant::UnlocksForgotten, Mutant::WithdrawalsOvertake] {
        let programs = programs_until_noticed(mutant, 4_000);
        println!("{mutant:?}: noticed after {programs:?}");
        assert!(programs.is_some(), "{mutant:?} was not noticed");
    }
}

#[test]
fn a_single_spurious_poll_that_nobody_counts_is_noticed() {
    let programs = programs_until_noticed(Mutant::OneSpuriousPoll, 20_000);
    println!("noticed after {programs:?}");
    assert!(programs.is_some());
}
