//! What an episode makes durable.

use durable::{
    history::{EventKind, HistoryEvent},
    model::{ExecutionId, Payload, RuntimeStatus},
    provider::Past,
};

use super::fixtures::{Stage, json, names, numbers, start_of, unique};

// R2:HUB-15, R2:HUB-8, R2:HUB-10
pub(super) async fn a_checkpoint_is_seen_once_it_is_acknowledged(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let created = hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let saved = hub.episode(item).calls(0, "greet").publishes("busy").saved().await;
    let state = hub.state("a").await;
    assert_eq!((state.runtime_status, &state.custom_status), (RuntimeStatus::Running, &json("busy")));
    assert_eq!(state.last_updated_time, saved.change.updated_at);
    assert_eq!((state.created_time, &state.input), (created.created_time, &created.input));
    assert_eq!(hub.history("a").await.events(), saved.events);
}

// R1:ORCH-11
pub(super) async fn the_history_is_the_sum_of_the_checkpoints_in_order(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let mut expected = Vec::new();
    for number in 0..20 {
        let item = hub.fetch_of("a").await;
        let saved = hub.episode(item).calls(number, "step").saved().await;
        expected.extend(saved.events);
        assert_eq!(hub.history("a").await.events(), expected);
        hub.raise("a", u64::from(number.unsigned_abs())).await;
    }
}

pub(super) async fn an_empty_checkpoint_consumes_its_messages_and_nothing_else(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let before = hub.history("a").await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).without_events().saved().await;
    assert_eq!(hub.history("a").await, before);
    assert_eq!(hub.state("a").await.runtime_status, RuntimeStatus::Running);
    hub.insist_on_no_more_work().await;

    hub.raise("a", 2).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(numbers(&item.messages), [2]);
    let saved = hub.episode(item).saved().await;
    assert!(hub.history("a").await.events().ends_with(&saved.events));
}

pub(super) async fn a_value_that_is_not_given_stays(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).publishes("half way").saved().await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).completes(0).saved().await;
    let state = hub.state("a").await;
    assert_eq!((state.custom_status, state.output), (json("half way"), json("done")));
}

pub(super) async fn the_last_published_value_stands(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    for status in ["first", "second"] {
        let item = hub.fetch_of("a").await;
        hub.episode(item).publishes(status).saved().await;
        assert_eq!(hub.state("a").await.custom_status, json(status));
        hub.raise("a", 1).await;
    }
}

// R2:HUB-19
pub(super) async fn every_end_is_seen_with_what_it_brought(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["completed", "failed", "terminated"] {
        hub.create(instance).await;
        let item = hub.fetch_of(instance).await;
        let episode = hub.episode(item);
        let saved = match instance {
            "completed" => episode.completes(0).saved().await,
            "failed" => episode.fails(0, "no luck").saved().await,
            _ => episode.terminates(0, "enough").saved().await,
        };
        let state = hub.state(instance).await;
        assert_eq!(state.runtime_status, saved.change.status);
        assert_eq!(state.output, saved.change.output.unwrap_or_default());
        assert_eq!(state.failure, saved.change.failure);
        assert_eq!(hub.history(instance).await.outcome(), Some(saved.change.status));
    }
    assert_eq!(hub.state("failed").await.output, Payload::null());
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_suspended_instance_is_seen_as_such_and_still_gets_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (item, mut checkpoint) = hub.episode(item).parts();
    checkpoint.change.status = RuntimeStatus::Suspended;
    hub.provider.checkpoint(item, checkpoint).await.expect("a held item can be checkpointed");
    assert_eq!(hub.state("a").await.runtime_status, RuntimeStatus::Suspended);
    hub.raise("a", 1).await;
    assert_eq!(numbers(&hub.fetch_of("a").await.messages), [1]);
}

// DECISIONS 9
pub(super) async fn another_execution_replaces_the_history(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let first = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    let next = ExecutionId::new(format!("next-{}", unique()));
    let mut started = start_of("a", hub.now()).started;
    started.execution = next.clone();
    started.input = json("again");
    let began = HistoryEvent::new(hub.now(), EventKind::ExecutionStarted(Box::new(started)));
    let saved = hub.episode(item).goes_on_as(&next, vec![began]).saved().await;
    assert_eq!(hub.history("a").await.events(), saved.events);
    let state = hub.state("a").await;
    assert_eq!((&state.execution_id, state.generation), (&next, 0));
    assert_ne!(next, first);

    let item = hub.fetch_of("a").await;
    assert_eq!((&item.execution, item.past), (&next, Past::At(saved.tag)));
    assert_eq!(numbers(&item.messages), [1], "messages to the instance go to its current execution");
    let last = hub.episode(item).calls(0, "greet").saved().await;
    let expected = [saved.events, last.events].concat();
    assert_eq!(hub.history("a").await.events(), expected);
    assert_eq!(hub.fetch_activity().await.execution, next);
}

pub(super) async fn a_first_checkpoint_may_also_be_the_last(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    let names: Vec<_> = hub.history("a").await.names();
    let expected = ["OrchestratorStarted", "ExecutionStarted", "ExecutionCompleted", "OrchestratorCompleted"];
    assert_eq!(names, expected);
}

// R2:HUB-20, R2:HUB-21, R2:HUB-12, R1:ORCH-13
pub(super) async fn all_that_one_episode_asks_for_comes_about(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let message = super::fixtures::event("b", 9, hub.now());
    let due = hub.now().saturating_add(stage.moment());
    hub.episode(item).calls(0, "greet").sets_timer(1, due).sends(message).publishes("busy").saved().await;

    let item = hub.fetch_of("b").await;
    assert_eq!(numbers(&item.messages), [9]);
    hub.episode(item).completes(0).saved().await;
    let activity = hub.fetch_activity().await;
    hub.complete(activity, 1).await;
    let mut messages = hub.gather("a", 1).await;
    messages.extend(hub.gather("a", 1).await);
    assert_eq!(names(&messages), ["TaskCompleted", "TimerFired"]);
}
