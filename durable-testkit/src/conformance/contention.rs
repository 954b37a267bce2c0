//! Many threads at once: nothing is lost, nothing is out twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use durable::{
    history::EventKind,
    model::InstanceId,
    provider::{OrchestrationWorkItem, ProviderErrorKind, WaitFor},
};
use futures::executor::block_on;

use super::{
    Hub,
    fixtures::{Stage, event, id, numbers},
};

const THREADS: usize = 8;

/// Runs `work` on several threads, which must all return.
fn on_threads(work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("a thread of the case panicked");
        }
    });
}

/// What is out, to notice an instance that is out twice.
#[derive(Default)]
struct Out(Mutex<BTreeSet<InstanceId>>);

impl Out {
    fn take(&self, instance: &InstanceId) {
        let is_new = self.0.lock().expect("no thread panicked").insert(instance.clone());
        assert!(is_new, "`{instance}` was out twice at a time");
    }

    fn give_back(&self, instance: &InstanceId) {
        self.0.lock().expect("no thread panicked").remove(instance);
    }
}

// R1:ORCH-32
pub(super) async fn workers_share_the_work(stage: Stage<'_>) {
    const INSTANCES: usize = 200;
    let hub = stage.worked_hub().await;
    let (out, ended) = (Out::default(), Mutex::new(0));
    on_threads(|number| {
        block_on(async {
            for instance in 0..INSTANCES / THREADS {
                hub.create(&format!("{number}-{instance}")).await;
            }
            loop {
                let items = hub.provider.fetch_orchestrations(4).await.expect("work can be fetched");
                if items.is_empty() {
                    break;
                }
                for item in items {
                    run_three_steps(&hub, &out, item).await;
                    let all = {
                        let mut ended = ended.lock().expect("no thread panicked");
                        *ended += 1;
                        *ended == 3 * INSTANCES
                    };
                    if all {
                        hub.provider.end_work().await;
                    }
                }
            }
        });
    });
    for number in 0..THREADS {
        for instance in 0..INSTANCES / THREADS {
            let history = hub.history(&format!("{number}-{instance}")).await;
            assert_eq!((history.episodes(), history.outcome().is_some()), (3, true));
        }
    }
}

/// One episode of an instance that sends itself a message twice, and then ends.
async fn run_three_steps(hub: &Hub, out: &Out, item: OrchestrationWorkItem) {
    let instance = item.instance.clone();
    out.take(&instance);
    let step = numbers(&item.messages).first().copied().unwrap_or(0);
    let episode = hub.episode(item);
    let episode = if step == 2 {
        episode.completes(0)
    } else {
        episode.sends(event(instance.as_str(), step + 1, hub.now()))
    };
    // Given back before: as soon as the checkpoint is made, another thread may have it.
    out.give_back(&instance);
    episode.saved().await;
}

pub(super) async fn senders_race_with_the_worker_and_nothing_is_lost(stage: Stage<'_>) {
    const EACH: u64 = 100;
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let seen = Mutex::new(Vec::new());
    on_threads(|number| {
        block_on(async {
            if number > 0 {
                for message in 0..EACH {
                    hub.raise("a", u64::try_from(number).expect("a small number") * 1000 + message).await;
                }
                return;
            }
            let all = usize::try_from(EACH).expect("a small number") * (THREADS - 1);
            let messages = hub.gather("a", all).await;
            seen.lock().expect("no thread panicked").extend(numbers(&messages));
        });
    });
    let mut of_sender = BTreeMap::<u64, Vec<u64>>::new();
    for number in seen.into_inner().expect("no thread panicked") {
        of_sender.entry(number / 1000).or_default().push(number % 1000);
    }
    assert_eq!(of_sender.len(), THREADS - 1);
    for (sender, messages) in of_sender {
        assert_eq!(messages, (0..EACH).collect::<Vec<_>>(), "the messages of sender {sender}");
    }
    hub.insist_on_no_more_work().await;
}

pub(super) async fn activities_are_completed_from_many_threads(stage: Stage<'_>) {
    const COUNT: usize = 400;
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let calls = i32::try_from(COUNT).expect("a small number");
    let episode = (0..calls).fold(hub.episode(item), |episode, number| episode.calls(number, "part"));
    episode.saved().await;
    on_threads(|_| {
        block_on(async {
            for _ in 0..COUNT / THREADS {
                let activity = hub.fetch_activity().await;
                hub.complete(activity, 1).await;
            }
        });
    });
    let answers: BTreeSet<_> = hub
        .gather("a", COUNT)
        .await
        .iter()
        .filter_map(|message| match message.event.kind {
            EventKind::TaskCompleted { task, .. } => Some(task),
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), COUNT);
    hub.insist_on_no_more_activities().await;
}

pub(super) async fn an_end_and_a_message_race_and_the_sender_knows_who_won(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for round in 0..50 {
        let instance = format!("i{round}");
        hub.create(&instance).await;
        let item = hub.fetch_of(&instance).await;
        let (item, checkpoint) = hub.episode(item).completes(0).parts();
        let sent = std::thread::scope(|scope| {
            let message = event(&instance, 1, hub.now());
            let sender = scope.spawn(|| block_on(hub.provider.send(message)));
            let worker = scope.spawn(|| block_on(hub.provider.checkpoint(item, checkpoint)));
            worker.join().expect("the worker panicked").expect("the item is held");
            sender.join().expect("the sender panicked")
        });
        if let Err(error) = sent {
            assert_eq!(error.kind, ProviderErrorKind::Ended, "{error}");
        }
        assert!(hub.state(&instance).await.runtime_status.is_terminal());
    }
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_wait_and_an_end_race_and_the_wait_is_not_missed(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for round in 0..100 {
        let instance = format!("i{round}");
        hub.create(&instance).await;
        let item = hub.fetch_of(&instance).await;
        let (item, checkpoint) = hub.episode(item).completes(0).parts();
        let awaited = id(&instance);
        let state = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| block_on(hub.provider.wait(&awaited, WaitFor::End)));
            let worker = scope.spawn(|| block_on(hub.provider.checkpoint(item, checkpoint)));
            worker.join().expect("the worker panicked").expect("the item is held");
            waiter.join().expect("the waiter panicked")
        });
        assert!(state.expect("it exists").runtime_status.is_terminal());
    }
}
