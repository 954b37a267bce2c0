//! A process that is killed at any moment loses nothing that it acknowledged, and does nothing twice
//! as far as a history can see.
//!
//! The moments are chosen by what the process has told of its progress, not by a clock. Begin with
//! [`five_hundred_sequences_survive_twenty_kills`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

#[path = "sigkill/driver.rs"]
mod driver;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{ChildStdin, Command},
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
};

use durable::{
    history::{EventKind, History},
    model::{InstanceState, RuntimeStatus},
    prelude::*,
    provider::InstanceQuery,
};
use durable_tests::{
    Child, Folder, Instances, Seeded,
    functions::{WIDTH, after, after_five},
    mixed::{LAST_NUMBER, NUMBER, listens},
    related, well_formed,
};
use futures::{TryStreamExt, future::join_all};

use driver::Driver;

const KILLS: usize = 20;
const SEQUENCES: u64 = 500;
/// How often a worker is killed that has everything in flight.
const MIXED_KILLS: usize = 25;
/// How many rounds of everything are under way at a time.
const LANES: u64 = 2;

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
    assert!(open_after(&state, &history).is_empty(), "{id}: something was never answered");
    state
}

/// Asserts that a history is whole and ends as the state says. Gives what was never answered.
fn open_after(state: &InstanceState, history: &History) -> Vec<&'static str> {
    let id = &state.instance_id;
    let open = well_formed(history).unwrap_or_else(|flaw| panic!("{id}: {flaw}\n{:?}", history.names()));
    assert_eq!(history.outcome(), Some(state.runtime_status), "{id}");
    let completes = |kind: &EventKind| matches!(kind, EventKind::ExecutionCompleted { result, .. } if *result == state.output);
    assert!(history.events().iter().any(|event| completes(&event.kind)), "{id}: state and history differ");
    let is_open = |event: &&durable::history::HistoryEvent| open.contains(&event.id);
    history.events().iter().filter(is_open).map(|event| event.kind.name()).collect()
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
    let worker = thread::spawn(move || worker.finish());
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

/// What the killed processes were told while they lived.
#[derive(Default)]
struct Told {
    starts: Starts,
    raised: BTreeMap<String, Vec<u64>>,
}

impl Told {
    fn note(&mut self, lines: &[String]) {
        self.starts.note(lines);
        for line in lines {
            if let ["raised", id, number] = line.split(' ').collect::<Vec<_>>()[..] {
                self.raised.entry(id.to_owned()).or_default().push(number.parse().unwrap());
            }
        }
    }
}

/// Kills one worker after the other, then lets one live until its input is closed.
fn kill_workers(hub: &str, driver: &Driver, last_input: &mpsc::Sender<ChildStdin>) -> Told {
    let mut seeded = Seeded::new(20_260_402);
    let mut told = Told::default();
    for kill in 0..MIXED_KILLS {
        let moment = Moment::choose(&mut seeded);
        let when = format!("{moment:?}");
        let (was_killed, lines) = moment.kill(child(&["mixed", hub, &kill.to_string()]));
        told.note(&lines);
        eprintln!("kill {kill}: {when}, {} lines", lines.len());
        assert!(was_killed, "the child ended before kill {kill}: {lines:?}");
    }
    driver.is_over.store(true, Ordering::Release);
    let mut last = child(&["worker", hub]);
    last_input.send(last.take_input().unwrap()).unwrap();
    let (status, lines) = last.finish().unwrap();
    told.note(&lines);
    assert!(status.success(), "{lines:?}");
    told
}

/// What the processes raised themselves was heard, once each and in order: what was acknowledged, and perhaps
/// one number more whose acknowledgement was cut off.
async fn heard_what_was_raised(client: &Client, told: &BTreeMap<String, Vec<u64>>) {
    for (id, raised) in told {
        let heard = client.run(listens::at(id)).unwrap().output().await.unwrap();
        assert!(heard.starts_with(raised), "{id}: {raised:?} was raised, {heard:?} heard");
        let more = &heard[raised.len()..];
        assert!(more.is_empty() || *more == [raised.len() as u64 + 1], "{id}: {more:?} heard besides");
    }
}

async fn all(client: &Client) -> Vec<InstanceState> {
    client.instances(InstanceQuery::default()).try_collect().await.unwrap()
}

/// Asserts that everything in the hub has ended, and fits together.
async fn everything_fits(client: &Client) {
    let mut instances = Instances::new();
    for state in all(client).await {
        let id = state.instance_id.clone();
        assert!(state.runtime_status.is_terminal(), "{id} is left over: {state:?}");
        let history = client.history(&id).await.unwrap();
        let open = open_after(&state, &history);
        let may_be_open = |name: &str| match state.runtime_status {
            // What the race lost.
            RuntimeStatus::Completed => name == "TimerCreated",
            _ => true,
        };
        assert!(open.iter().all(|name| may_be_open(name)), "{id}: never answered: {open:?}");
        instances.insert(id, (state, history));
    }
    let children = related(&instances).unwrap_or_else(|flaw| panic!("{flaw}"));
    eprintln!("{} instances, {children} of them children", instances.len());
    assert!(children > 0, "there was nothing to relate");
}

// R1:OVR-12, R1:ORCH-2, R1:SUB-3, R1:EVT-10, R2:ETE-3, R2:MGT-43, R2:MGT-62; DECISIONS 5, 9, 10, 11, 17, 19
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_flight_survives_kills_of_the_worker() {
    let folder = Folder::new("sigkill-mixed").unwrap();
    let hub = folder.hub("hub.db");
    let client = TaskHub::open(&hub).await.unwrap().client();
    let driver = Driver { client, folder: folder.path().to_owned(), is_over: false.into() };
    let driver = Arc::new(driver);
    let (last_input, input) = mpsc::channel();
    let killing = {
        let driver = driver.clone();
        thread::spawn(move || kill_workers(&hub, &driver, &last_input))
    };
    let rounds = join_all((0..LANES).map(|lane| driver.rounds(lane))).await;
    let input = input.recv().unwrap();
    for state in all(&driver.client).await {
        let run = driver.client.run::<Payload>(state.instance_id).unwrap();
        if run.id().as_str().starts_with("heard-") {
            driver.client.raise(&run, NUMBER, LAST_NUMBER).await.unwrap();
        }
        run.wait_for_end().await.unwrap();
    }
    drop(input);
    let told = killing.join().unwrap();
    let raised: usize = told.raised.values().map(Vec::len).sum();
    eprintln!("{rounds:?} rounds, {} starts and {raised} numbers of the killed", told.starts.0.len());
    let client = TaskHub::open(&folder.hub("hub.db")).await.unwrap().client();
    heard_what_was_raised(&client, &told.raised).await;
    for id in told.starts.0.iter().filter(|id| id.starts_with("own-")) {
        let number = id.rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(ended(&client, id).await.output.read::<u64>().unwrap(), after_five(number), "{id}");
    }
    everything_fits(&client).await;
}
