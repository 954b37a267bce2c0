//! A process that is killed at any moment loses nothing that it acknowledged, and does nothing twice
//! as far as a history can see.
//!
//! The moments are chosen by what the process has told of its progress, not by a clock. Begin with
//! [`five_hundred_sequences_survive_twenty_kills`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{collections::BTreeSet, process::Command};

use durable::{
    history::EventKind,
    model::{InstanceState, RuntimeStatus},
    prelude::*,
};
use durable_tests::{
    Child, Folder, Seeded,
    functions::{WIDTH, after, after_five},
    well_formed,
};

const KILLS: usize = 20;
const SEQUENCES: u64 = 500;

fn child(arguments: &[&str]) -> Child {
    Child::start(Command::new(env!("CARGO_BIN_EXE_crash_child")).args(arguments)).unwrap()
}

/// When to kill.
#[derive(Debug)]
enum Moment {
    /// While the hub is being opened, after so many turns of an empty loop.
    Opening(usize),
    /// When so many lines have come after the hub was opened.
    Line(usize),
}

impl Moment {
    fn choose(seeded: &mut Seeded) -> Self {
        if seeded.once_in(4) {
            Self::Opening(seeded.within(0..3_000_000))
        } else {
            Self::Line(seeded.within(1..200))
        }
    }

    /// Lets the child live until then. Gives the lines it wrote, and whether it had not ended before.
    fn kill(self, mut child: Child) -> (bool, Vec<String>) {
        let mut lines = Vec::new();
        match self {
            Self::Opening(turns) => {
                child.line_with("opening").unwrap().expect("the child opens the hub first");
                (0..turns).for_each(|_| std::hint::spin_loop());
            }
            Self::Line(last) => {
                while lines.len() <= last {
                    let Some(line) = child.line().unwrap() else { break };
                    lines.push(line);
                }
            }
        }
        let (was_killed, rest) = child.kill().unwrap();
        lines.extend(rest);
        (was_killed, lines)
    }
}

/// Notes which starts were acknowledged, and fails when one was twice: the first had been lost.
#[derive(Default)]
struct Starts(BTreeSet<String>);

impl Starts {
    fn note(&mut self, lines: &[String]) {
        for line in lines {
            assert!(!line.starts_with("error"), "the child failed: {line}");
            if let Some(id) = line.strip_prefix("started ") {
                assert!(self.0.insert(id.to_owned()), "the acknowledged start of {id} was lost");
            }
        }
    }
}

async fn ended(client: &Client, id: &str) -> InstanceState {
    let id = InstanceId::new(id).unwrap();
    let state = client.state(&id).await.unwrap().unwrap_or_else(|| panic!("{id} is not there"));
    assert_eq!(state.runtime_status, RuntimeStatus::Completed, "{id}: {:?}", state.failure);
    assert_eq!(state.generation, 0, "{id} was replaced");
    let history = client.history(&id).await.unwrap();
    let open = well_formed(&history).unwrap_or_else(|flaw| panic!("{id}: {flaw}\n{:?}", history.names()));
    assert!(open.is_empty(), "{id}: never answered: {open:?}");
    assert_eq!(history.outcome(), Some(RuntimeStatus::Completed), "{id}");
    let count = |name| history.names().iter().filter(|found| **found == name).count();
    assert_eq!(count("TaskCompleted"), count("TaskScheduled"), "{id}");
    let completes = |kind: &EventKind| matches!(kind, EventKind::ExecutionCompleted { result, .. } if *result == state.output);
    assert!(history.events().iter().any(|event| completes(&event.kind)), "{id}: state and history differ");
    state
}

// R1:OVR-12, R1:CHAIN-12, R1:OVR-6, R1:ORCH-2
#[tokio::test]
async fn five_hundred_sequences_survive_twenty_kills() {
    let folder = Folder::new("sigkill").unwrap();
    let (hub, count) = (folder.hub("hub.db"), SEQUENCES.to_string());
    let arguments = ["sequences", &hub, &count];
    let mut seeded = Seeded::new(20_260_101);
    let mut starts = Starts::default();
    let mut steps = 0;
    for kill in 0..KILLS {
        let moment = Moment::choose(&mut seeded);
        let told = format!("{moment:?}");
        let (was_killed, lines) = moment.kill(child(&arguments));
        starts.note(&lines);
        steps += lines.iter().filter(|line| *line == "step").count();
        eprintln!("kill {kill}: {told}, {} starts, {steps} steps", starts.0.len());
        assert!(was_killed, "the child ended before kill {kill}");
    }
    let (status, lines) = child(&arguments).finish().unwrap();
    starts.note(&lines);
    steps += lines.iter().filter(|line| *line == "step").count();
    assert!(status.success());
    eprintln!("{steps} activities ran for {} results", SEQUENCES * 5);

    let client = TaskHub::open(&hub).await.unwrap().client();
    for number in 0..SEQUENCES {
        let state = ended(&client, &format!("sequence-{number}")).await;
        assert_eq!(state.output.read::<u64>().unwrap(), after_five(number));
    }
    // A start whose acknowledgement was cut off with its process is durable and was never told of.
    assert!(starts.0.len() <= usize::try_from(SEQUENCES).unwrap());
}

#[tokio::test]
async fn starts_from_another_process_survive_kills_of_the_worker() {
    const ROUNDS: usize = 8;
    const EACH: u64 = 3;
    let folder = Folder::new("sigkill-two").unwrap();
    let hub = folder.hub("hub.db");
    let mut seeded = Seeded::new(7);
    let mut starts = Starts::default();
    let mut worker = child(&["worker", &hub]);
    worker.line_with("opened").unwrap().unwrap();
    let mut starter = child(&["starter", &hub]);
    starter.line_with("opened").unwrap().unwrap();
    for round in 0..ROUNDS {
        starter.tell(&EACH.to_string()).unwrap();
        let (was_killed, lines) = Moment::Line(seeded.within(1..100)).kill(worker);
        assert!(was_killed, "the worker ended before round {round}: {lines:?}");
        starts.note(&lines);
        // The starts go on while nobody works, and while the next worker opens the hub.
        worker = child(&["worker", &hub]);
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "asked") {
            lines.push(starter.line().unwrap().expect("the starter goes on"));
        }
        starts.note(&lines);
    }
    assert!(starter.finish().unwrap().0.success());
    assert_eq!(starts.0.len(), ROUNDS * usize::try_from(EACH).unwrap());

    // What it writes must be read, or it would wait for that.
    let input = worker.take_input();
    let worker = std::thread::spawn(move || worker.finish());
    let client = TaskHub::open(&hub).await.unwrap().client();
    for id in &starts.0 {
        // The worker is the other process still; this one is told when the instance ends.
        client.run::<Vec<u64>>(InstanceId::new(id).unwrap()).unwrap().wait_for_end().await.unwrap();
    }
    drop(input);
    let (status, lines) = worker.join().unwrap().unwrap();
    assert!(status.success());
    starts.note(&lines);
    for (number, id) in (0..ROUNDS as u64 * EACH).map(|number| (number, format!("fan-out-{number}"))) {
        let expected: Vec<u64> = (number..number + WIDTH).map(after).collect();
        assert_eq!(ended(&client, &id).await.output.read::<Vec<u64>>().unwrap(), expected);
    }
}
