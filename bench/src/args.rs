//! The command line. Begin with [`Command`].

use std::{path::PathBuf, time::Duration};

use durable_bench_gauge::{Durability, Job, Workload};

use crate::{error::BenchError, peer::Peer};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Measures durable, and the peers it can build, on the same workloads in the same run.

Usage: durable-bench <workload> [options]

Workloads, and their usual size:
  hello     5000     orchestrations started at once, each of 5 activities one after the other
  fan-out   1000     activities called at once by one orchestration
  sequence  10000    activities called one after the other by one orchestration
  latency   200      orchestrations of `hello`, one at a time while nothing else happens
  parked    100000   orchestrations waiting for activities that never end; then a restart with them
  parked-running     the same, with all of those activities running
  events    10000    events raised by a client, at once, to one orchestration that waits for each
  timers    100000   orchestrations with a timer each, all due within one second, while `hello` runs
  timers-of-one      as many timers of one orchestration
  entity-one 100000  signals from a client to one counter, until it answers a call that came after them
  entity-many 100000 the same to 10,000 counters in turn
  bank     5000      transfers between 100 accounts, 1,000 at once, each of which locks two of them
  engine             what a replay costs without a store; takes no options
  instances 1000000  ended instances: pages of every filter, then a purge while `hello` runs; takes `--size`,
                     `--dir` and `--copy-of FILE`: a hub to begin with, made if it is not there

Options:
  --size N, --count N  how many
  --peer duroxide      run the same on a peer, and print the ratio; builds it first
  --peer-size N        give the peer another size; printed
  --durability MODE    full (safe against a power cut; usual) or relaxed, for ours
  --runs N             runs of each contender, in turn; the median one is quoted (3)
  --limit SECONDS      ends a run after this time, and counts what is done (90)
  --dir PATH           where the stores are (beside this program): the disk that is measured
  --json               print one JSON object instead; the table goes to standard error
  --details            with --json: add `details`, what the object otherwise leaves out";

/// The word that makes this program a contender instead of the one who compares.
pub(crate) const CONTENDER: &str = "--contender";

/// What this program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Say what can be asked.
    Help,
    /// Measure the replay engine alone.
    Engine,
    /// Measure queries and purges of many ended instances.
    Instances {
        /// How many.
        count: u64,
        /// Where the store is; `None` for beside the program.
        folder: Option<PathBuf>,
        /// A hub to begin with a copy of.
        original: Option<PathBuf>,
    },
    /// Measure contenders and compare them.
    Compare(Request),
    /// Be the contender for one run.
    Contend(Job),
}

/// What is to be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is measured.
    pub(crate) workload: Workload,
    /// How many operations.
    pub(crate) size: u64,
    /// With whom.
    pub(crate) peer: Option<Peer>,
    /// How many operations for the peer.
    pub(crate) peer_size: u64,
    /// What ours has to promise.
    pub(crate) durability: Durability,
    /// How often, at least once.
    pub(crate) runs: usize,
    /// When a run is ended.
    pub(crate) limit: Duration,
    /// Where the stores are; `None` for beside the program.
    pub(crate) folder: Option<PathBuf>,
    /// Whether one JSON object is wanted.
    pub(crate) json: bool,
    /// Whether the object is to say everything.
    pub(crate) details: bool,
}

impl Command {
    /// The command that these arguments name.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, BenchError> {
        let mut arguments = arguments.peekable();
        match arguments.peek().map(String::as_str) {
            None | Some("--help" | "-h" | "help") => Ok(Self::Help),
            Some("engine") => Ok(Self::Engine),
            Some("instances") => instances(arguments.skip(1)),
            Some(CONTENDER) => Ok(Self::Contend(Job::from_arguments(arguments.skip(1))?)),
            Some(_) => Request::from_arguments(arguments).map(Self::Compare),
        }
    }
}

fn instances(mut arguments: impl Iterator<Item = String>) -> Result<Command, BenchError> {
    let (mut count, mut folder, mut original) = (1_000_000, None, None);
    while let Some(option) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match option.as_str() {
            "--size" | "--count" => count = number(&option, &value)?,
            "--dir" => folder = Some(value.into()),
            "--copy-of" => original = Some(value.into()),
            _ => return Err(BenchError::Arguments { reason: format!("`{option}` is not an option") }),
        }
    }
    Ok(Command::Instances { count, folder, original })
}

impl Request {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, BenchError> {
        let workload: Workload = arguments.next().unwrap_or_default().parse()?;
        let mut request = Self::usual(workload);
        let mut peer_size = None;
        while let Some(option) = arguments.next() {
            let mut value = || {
                let reason = || BenchError::Arguments { reason: format!("`{option}` needs a value") };
                arguments.next().ok_or_else(reason)
            };
            match option.as_str() {
                "--size" | "--count" => request.size = number(&option, &value()?)?,
                "--peer" => request.peer = Some(Peer::from_name(&value()?)?),
                "--peer-size" => peer_size = Some(number(&option, &value()?)?),
                "--durability" => request.durability = value()?.parse()?,
                "--runs" => request.runs = usize::try_from(number(&option, &value()?)?).unwrap_or(usize::MAX),
                "--limit" => request.limit = Duration::from_secs(number(&option, &value()?)?),
                "--dir" => request.folder = Some(value()?.into()),
                "--json" => request.json = true,
                "--details" => request.details = true,
                _ => return Err(BenchError::Arguments { reason: format!("`{option}` is not an option") }),
            }
        }
        request.peer_size = peer_size.unwrap_or(request.size);
        Ok(request)
    }

    fn usual(workload: Workload) -> Self {
        Self {
            workload,
            size: workload.usual_size(),
            peer: None,
            peer_size: workload.usual_size(),
            durability: Durability::Full,
            runs: 3,
            limit: Duration::from_secs(90),
            folder: None,
            json: false,
            details: false,
        }
    }
}

fn number(option: &str, word: &str) -> Result<u64, BenchError> {
    word.replace(['_', ','], "").parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        BenchError::Arguments { reason: format!("`{option} {word}`: this must be a number above zero") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, BenchError> {
        Command::from_arguments(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_workload_alone_is_measured_at_its_usual_size_and_full_durability() {
        let Command::Compare(request) = parse("hello").unwrap() else { panic!("a comparison") };
        assert_eq!(request, Request::usual(Workload::Hello));
        assert_eq!((request.size, request.durability), (5000, Durability::Full));
    }

    #[test]
    fn a_million_instances_are_asked_for_unless_told_otherwise() {
        let (count, folder, original) = (1_000_000, None, None);
        assert_eq!(parse("instances").unwrap(), Command::Instances { count, folder, original });
        let (count, folder, original) = (5, Some("/data".into()), Some("old.db".into()));
        let found = parse("instances --count 5 --dir /data --copy-of old.db").unwrap();
        assert_eq!(found, Command::Instances { count, folder, original });
    }

    #[test]
    fn the_peer_gets_the_same_size_unless_told_otherwise() {
        let Command::Compare(request) = parse("hello --peer duroxide --size 2_00").unwrap() else { panic!() };
        assert_eq!((request.size, request.peer_size), (200, 200));
        let Command::Compare(request) = parse("hello --peer-size 50 --size 200").unwrap() else { panic!() };
        assert_eq!((request.size, request.peer_size), (200, 50));
    }

    #[test]
    fn what_makes_no_sense_is_quoted() {
        for (line, quoted) in [
            ("helo", "`helo`"),
            ("hello --size", "`--size`"),
            ("hello --size 0", "`--size 0`"),
            ("hello --peer tortoise", "`tortoise`"),
            ("hello --fast", "`--fast`"),
        ] {
            let text = parse(line).unwrap_err().to_string();
            assert!(text.contains(quoted), "{line}: {text}");
        }
    }
}
