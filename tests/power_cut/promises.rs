//! What a process was told that lost its power, and whether that is so afterwards.
//!
//! Must not know disks. Begin with [`Promises::are_kept`].

use std::collections::BTreeMap;

use durable::{
    history::EventKind,
    model::{InstanceState, RuntimeStatus},
    prelude::*,
    provider::InstanceQuery,
};
use durable_tests::{
    Instances,
    functions::{LAST_WORD, WORD, after_five},
    mixed::{LAST_NUMBER, NUMBER, after_breaking, after_family, breaks_at_first, family, listens},
    related, well_formed,
};
use futures::TryStreamExt;

/// What the child had been told by some point of the log.
#[derive(Debug, Default, Clone)]
pub(crate) struct Promises {
    /// The instances that were started, and whether their end was told.
    started: BTreeMap<String, bool>,
    words: BTreeMap<String, Vec<String>>,
    numbers: BTreeMap<String, Vec<u64>>,
    /// The instances that failed, and whether they were let try again.
    failed: BTreeMap<String, bool>,
}

impl Promises {
    pub(crate) fn note(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["start", id] => {
                self.started.insert(id.to_owned(), false);
            }
            ["end", id] => {
                self.started.insert(id.to_owned(), true);
            }
            ["number", id, number] => {
                self.numbers.entry(id.to_owned()).or_default().push(number.parse().unwrap());
            }
            ["fail", id] => {
                self.failed.insert(id.to_owned(), false);
            }
            ["rewind", id] => {
                self.failed.insert(id.to_owned(), true);
            }
            ["raise", id, word] => self.words.entry(id.to_owned()).or_default().push(word.to_owned()),
            _ => panic!("`{line}` is no promise"),
        }
    }

    /// Asserts that all of it is in the hub, and that no history is broken.
    pub(crate) async fn are_kept(&self, client: &Client) {
        for (id, has_ended) in &self.started {
            let id = InstanceId::new(id).unwrap();
            let state = client.state(&id).await.unwrap().unwrap_or_else(|| panic!("{id} was started"));
            assert!(!has_ended || state.runtime_status == RuntimeStatus::Completed, "{id} had ended");
            let history = client.history(&id).await.unwrap();
            let flaw = well_formed(&history).err();
            assert!(flaw.is_none(), "{id}: {}", flaw.unwrap());
        }
        for (id, is_rewound) in &self.failed {
            let state = client.state(&InstanceId::new(id).unwrap()).await.unwrap().unwrap();
            let is_failed = state.runtime_status == RuntimeStatus::Failed;
            assert!(!(is_failed && *is_rewound), "{id} was let try again: {state:?}");
        }
        let all = all(client).await;
        for state in &all {
            let history = client.history(&state.instance_id).await.unwrap();
            for event in history.events() {
                let EventKind::SubOrchestrationInstanceCreated(child) = &event.kind else { continue };
                let is_there = all.iter().any(|state| state.instance_id == child.instance);
                assert!(is_there, "{} begot {}", state.instance_id, child.instance);
            }
        }
        let counted: BTreeMap<_, u64> = client.counts().await.unwrap().iter().collect();
        for status in RuntimeStatus::ALL {
            let found = all.iter().filter(|state| state.runtime_status == status).count() as u64;
            assert_eq!(counted.get(&status).copied().unwrap_or(0), found, "those that are {status}");
        }
    }

    /// Asserts that everything comes to the end it would have had.
    pub(crate) async fn come_true(&self, hub: &TaskHub) {
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        for id in self.started.keys() {
            if let Some(number) = id.strip_prefix("sequence-").and_then(|text| text.split('-').next_back()) {
                let run = client.run::<u64>(InstanceId::new(id).unwrap()).unwrap();
                assert_eq!(run.output().await.unwrap(), after_five(number.parse().unwrap()), "{id}");
            } else if id.starts_with("words-") {
                let run = client.run::<Vec<String>>(InstanceId::new(id).unwrap()).unwrap();
                client.raise(&run, WORD, LAST_WORD.to_owned()).await.unwrap();
                let words = run.output().await.unwrap();
                let promised = self.words.get(id).cloned().unwrap_or_default();
                assert!(words.starts_with(&promised), "{id}: {words:?} begins with {promised:?}");
                assert!(words.len() <= promised.len() + 1, "{id}: {words:?} was raised, {promised:?} told");
            } else if id.starts_with("listens-") {
                self.is_heard(&client, id).await;
            } else if let Some(first) = number_of(id, "family-") {
                let run = client.run(family::at(id)).unwrap();
                assert_eq!(run.output().await.unwrap(), after_family(first), "{id}");
            } else if let Some(first) = number_of(id, "breaks-") {
                let run = client.run(breaks_at_first::at(id)).unwrap();
                // Whatever it needed is not missed here.
                if run.wait_for_end().await.unwrap().runtime_status == RuntimeStatus::Failed {
                    run.rewind("the power is back").await.unwrap();
                }
                assert_eq!(run.output().await.unwrap(), after_breaking(first), "{id}");
            } else {
                client.run::<u64>(InstanceId::new(id).unwrap()).unwrap().output().await.unwrap();
            }
        }
        let instances = ended(&client).await;
        related(&instances).unwrap_or_else(|flaw| panic!("{flaw}"));
        worker.shut_down().await.unwrap();
    }

    async fn is_heard(&self, client: &Client, id: &str) {
        let run = client.run(listens::at(id)).unwrap();
        if !run.state().await.unwrap().unwrap().runtime_status.is_terminal() {
            client.raise(&run, NUMBER, LAST_NUMBER).await.unwrap();
        }
        let heard = run.output().await.unwrap();
        let raised = self.numbers.get(id).cloned().unwrap_or_default();
        assert!(heard.starts_with(&raised), "{id}: {raised:?} was raised, {heard:?} heard");
        let more = &heard[raised.len()..];
        assert!(more.is_empty() || *more == [raised.len() as u64 + 1], "{id}: {more:?} heard besides");
    }
}

/// All that end by themselves, once they have: one that lives may beget others.
async fn ended(client: &Client) -> Instances {
    let waits = |state: &InstanceState| {
        ["words-", "listens-"].iter().any(|kind| state.instance_id.as_str().starts_with(kind))
    };
    let mut instances = Instances::new();
    loop {
        let listed: Vec<_> = all(client).await.into_iter().filter(|state| !waits(state)).collect();
        if listed.len() == instances.len() {
            return instances;
        }
        for state in listed {
            let run = client.run::<Payload>(state.instance_id).unwrap();
            let state = run.wait_for_end().await.unwrap();
            instances.insert(run.id().clone(), (state, run.history().await.unwrap()));
        }
    }
}

fn number_of(id: &str, kind: &str) -> Option<u64> {
    id.strip_prefix(kind)?.parse().ok()
}

async fn all(client: &Client) -> Vec<InstanceState> {
    client.instances(InstanceQuery::default()).try_collect().await.unwrap()
}
