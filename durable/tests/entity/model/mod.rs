//! The lock protocol in a world that doubles, delays, crashes and ends things at any step.
//!
//! Random walks over many worlds of up to 4 orchestrations and 3 entities, and every path of small
//! ones. `DURABLE_LOCK_WORLDS` says how many walks, `DURABLE_LOCK_SEED` where to begin; a failure prints the
//! seed of its world. Begin with `world.rs` for what can happen, `ledger.rs` for what must hold.

mod explore;
mod ledger;
mod mutants;
mod orchestration;
#[path = "../../replay/fuzz/random.rs"]
#[allow(dead_code, reason = "shared with the fuzzer of the replay engine, which uses all of it")]
mod random;
mod world;

use explore::{Tally, every_path, walk};
use mutants::Mutant;

const WORLDS: u64 = 4_000;
const SEED: u64 = 0x10c5;
const THREADS: u64 = 2;

#[expect(
    clippy::disallowed_methods,
    reason = "how long to explore is asked for from outside, and changes no code"
)]
fn asked(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`"))
}

// R2:ENT-44, R2:ENT-50 to R2:ENT-57, R2:ENT-59, R2:ENT-67, R2:ENT-69; DECISIONS 13
#[test]
fn locks_exclude_each_other_and_none_is_lost_whatever_happens() {
    let (worlds, first) = (asked("DURABLE_LOCK_WORLDS", WORLDS), asked("DURABLE_LOCK_SEED", SEED));
    let tally = std::thread::scope(|scope| {
        let share = |thread| {
            let mut tally = Tally::default();
            for seed in (first..first + worlds).skip(thread).step_by(THREADS as usize) {
                if let Err(wrong) = walk(seed, Mutant::None, &mut tally) {
                    panic!(
                        "world {seed}: {wrong}\nrepeat: DURABLE_LOCK_SEED={seed} DURABLE_LOCK_WORLDS=1 cargo test -p \
                         durable --test entity locks_exclude"
                    );
                }
            }
            tally
        };
        let threads: Vec<_> =
            (0..THREADS as usize).map(|thread| scope.spawn(move || share(thread))).collect();
        threads.into_iter().fold(Tally::default(), |total, thread| {
            total.and(thread.join().expect("the violation is printed above"))
        })
    });
    eprintln!("{worlds} worlds: {tally:?}");
    assert!(worlds < 1000 || tally.is_rich(), "the walks hardly met what they are for: {tally:?}");
}

// R2:ENT-46, R2:ENT-59
#[test]
fn every_path_of_two_crossing_sections_is_safe() {
    let states = every_path(0, usize::MAX).unwrap();
    eprintln!("{states} states");
    assert!(states > 100);
}

#[test]
fn paths_of_two_crossing_sections_are_safe_with_any_one_fault() {
    let most = usize::try_from(asked("DURABLE_LOCK_STATES", 8_000)).unwrap();
    let states = every_path(1, most).unwrap();
    eprintln!("{states} states with a fault");
    assert!(states > 1000);
}

// A check that has never failed proves nothing.
#[test]
fn every_broken_variant_of_the_protocol_is_noticed() {
    for mutant in Mutant::ALL {
        let mut tally = Tally::default();
        let found = (SEED..SEED + 20_000)
            .find_map(|seed| walk(seed, mutant, &mut tally).err().map(|wrong| (seed, wrong)));
        let (seed, wrong) = found.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed: {tally:?}"));
        eprintln!("{mutant:?}: world {seed}: {wrong}");
    }
}
