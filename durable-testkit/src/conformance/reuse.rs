//! Who gets an instance id that is taken (DECISIONS 17).

use std::collections::BTreeSet;

use durable::{
    history::EventKind,
    model::{Payload, RuntimeStatus},
    provider::{ProviderErrorKind, Reuse},
};

use super::{
    Hub,
    fixtures::{Stage, event, names, numbers, refused, start_of},
};

const RACERS: usize = 64;

// R2:SNG-3, R4:MGMT-25
pub(super) async fn a_live_id_is_refused_under_every_rule(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let first = hub.create("a").await;
    for begun in [false, true] {
        if begun {
            let item = hub.fetch_of("a").await;
            hub.episode(item).saved().await;
        }
        for reuse in [Reuse::WhenEnded, Reuse::Never] {
            let mut new = start_of("a", hub.now());
            new.reuse = reuse;
            refused(hub.provider.create_instance(new).await, &ProviderErrorKind::AlreadyExists);
        }
    }
    let state = hub.state("a").await;
    assert_eq!((state.execution_id, state.runtime_status), (first.execution_id, RuntimeStatus::Running));
    hub.insist_on_no_more_work().await;
}

// R2:SNG-4, R4:MGMT-25
pub(super) async fn an_ended_id_begins_anew_with_nothing_of_the_old(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).publishes("busy").fails(0, "no luck").saved().await;

    let new = start_of("a", hub.now());
    let accepted = hub.provider.create_instance(new.clone()).await.expect("the old one has ended");
    let state = hub.state("a").await;
    assert_eq!(state, accepted);
    assert_eq!((state.runtime_status, state.generation), (RuntimeStatus::Pending, 1));
    assert_eq!(state.execution_id, new.started.execution);
    assert_eq!((state.custom_status, state.output), (Payload::null(), Payload::null()));
    assert_eq!(state.failure, None);
    assert!(hub.history("a").await.is_empty());

    let item = hub.fetch_of("a").await;
    assert_eq!((names(&item.messages), item.attempt), (vec!["ExecutionStarted"], 1));
    assert_eq!((&item.execution, item.past), (&new.started.execution, durable::provider::Past::Empty));
}

pub(super) async fn an_ended_id_is_refused_where_reuse_is_ruled_out(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    let before = hub.state("a").await;
    let mut new = start_of("a", hub.now());
    new.reuse = Reuse::Never;
    refused(hub.provider.create_instance(new).await, &ProviderErrorKind::AlreadyExists);
    assert_eq!(hub.state("a").await, before);
    assert_eq!(hub.history("a").await.names().len(), 4);
}

pub(super) async fn generations_are_counted_by_the_store(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for generation in 0..3 {
        let mut new = start_of("a", hub.now());
        new.started.generation = 17;
        let accepted = hub.provider.create_instance(new).await.expect("the old one has ended");
        assert_eq!(accepted.generation, generation);
        let item = hub.fetch_of("a").await;
        let EventKind::ExecutionStarted(started) = &item.messages[0].event.kind else {
            panic!("the first message is not the start: {item:?}")
        };
        assert_eq!(started.generation, generation, "the start says which generation it is");
        let episode = hub.episode(item);
        match generation {
            0 => episode.completes(0).saved().await,
            1 => episode.fails(0, "no luck").saved().await,
            _ => episode.terminates(0, "enough").saved().await,
        };
    }
}

// R2:SNG-8, R2:SNG-10
pub(super) async fn of_racing_starts_exactly_one_wins(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let winner = race(&hub);
    assert_eq!(hub.state("a").await.execution_id.as_str(), winner);
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
    hub.episode(item).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn of_racing_replacements_exactly_one_wins(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    let winner = race(&hub);
    let state = hub.state("a").await;
    assert_eq!((state.execution_id.as_str(), state.generation), (winner.as_str(), 1));
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
}

/// Starts the same id from many threads at once, and gives the execution that was accepted.
fn race(hub: &Hub) -> String {
    let start = std::sync::Barrier::new(RACERS);
    let racer = || {
        let new = start_of("a", hub.now());
        let execution = new.started.execution.clone();
        start.wait();
        match futures::executor::block_on(hub.provider.create_instance(new)) {
            Ok(state) => {
                assert_eq!(state.execution_id, execution);
                Some(execution.as_str().to_owned())
            }
            Err(error) => {
                assert_eq!(error.kind, ProviderErrorKind::AlreadyExists, "{error}");
                None
            }
        }
    };
    let winners: BTreeSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..RACERS).map(|_| scope.spawn(racer)).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("a racer panicked")).collect()
    });
    assert_eq!(winners.len(), 1, "exactly one start is accepted: {winners:?}");
    winners.into_iter().next().expect("there is one winner")
}

// DECISIONS 9: what was meant for the old execution may come, but says so.
pub(super) async fn a_late_answer_does_not_pass_for_one_of_the_new_execution(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let old = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    let due = hub.now().saturating_add(stage.moment());
    hub.episode(item).calls(0, "slow").sets_timer(1, due).saved().await;
    let slow = hub.fetch_activity().await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).terminates(2, "enough").saved().await;

    hub.create("a").await;
    hub.complete(slow, 1).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages)[0], "ExecutionStarted");
    hub.episode(item).sets_timer(0, due.saturating_add(stage.moment())).saved().await;
    let next = hub.fetch_of("a").await;
    for message in &next.messages {
        let is_answer = message.event.kind.answers().is_some();
        assert!(!is_answer || message.execution.is_some(), "an answer names its execution: {message:?}");
        let is_mine = message.execution.as_ref() != Some(&old);
        assert!(!is_mine || message.event.kind.name() == "TimerFired", "not its own: {message:?}");
    }
}

pub(super) async fn messages_for_the_ended_execution_do_not_reach_the_next(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    let mut later = event("a", 2, hub.now());
    later.visible_at = Some(hub.now().saturating_add(stage.moment()));
    hub.provider.send(later).await.expect("the instance takes messages");
    hub.episode(item).completes(0).saved().await;

    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    assert_eq!((names(&item.messages), numbers(&item.messages)), (vec!["ExecutionStarted"], vec![]));
}
