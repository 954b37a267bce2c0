//! Instances that follow from others or from themselves: begun by a message, continued as another execution,
//! live again after a failure.

use std::pin::pin;

use durable::{
    history::{EventId, EventKind, HistoryEvent, TaskMessage},
    model::{RuntimeStatus, Timestamp},
    provider::{OrphanedActivity, Past, ProviderErrorKind, WaitFor},
};
use futures::FutureExt;

use super::fixtures::{Stage, id, json, names, numbers, refused, start_of};

/// The message that begins `instance` as execution `execution`.
fn start(instance: &str, execution: &str, at: Timestamp) -> TaskMessage {
    let mut started = start_of(instance, at).started;
    started.execution = durable::model::ExecutionId::new(execution);
    started.input = json(execution);
    let execution = Some(started.execution.clone());
    let event = HistoryEvent::new(at, EventKind::ExecutionStarted(Box::new(started)));
    TaskMessage { instance: id(instance), execution, event, visible_at: None }
}

fn rewound(instance: &str, at: Timestamp) -> TaskMessage {
    let event = HistoryEvent::new(at, EventKind::ExecutionRewound { reason: "again".into() });
    TaskMessage { instance: id(instance), execution: None, event, visible_at: None }
}

// What had reached it while it lived must not be forgotten with it: somebody waits for the answer.
pub(super) async fn a_start_that_an_instance_had_not_taken_when_it_ended_begins_it_anew(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("b").await;
    let ending = hub.fetch_of("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (second, third) = (start("b", "second", hub.now()), start("b", "third", hub.now()));
    hub.episode(item).sends(second).sends(third).saved().await;
    let b = id("b");
    let mut waiting = pin!(hub.provider.wait(&b, WaitFor::End));
    assert!(waiting.as_mut().now_or_never().is_none());
    hub.episode(ending).completes(0).saved().await;
    let ended = waiting.await.expect("the instance is there");
    assert_eq!((ended.runtime_status, ended.generation), (RuntimeStatus::Completed, 0));
    let state = hub.state("b").await;
    assert_eq!((state.execution_id.as_str(), state.generation), ("second", 1));
    let item = hub.fetch_of("b").await;
    assert_eq!((item.execution.as_str(), &item.past), ("second", &Past::Empty));
    let executions: Vec<_> = item.messages.iter().filter_map(|message| message.execution.clone()).collect();
    assert_eq!(executions.iter().map(|of| of.as_str()).collect::<Vec<_>>(), ["second", "third"]);
    hub.episode(item).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_start_that_was_sent_again_to_an_ending_instance_does_not_begin_it_anew(
    stage: Stage<'_>,
) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let begin = start("b", "child", hub.now());
    hub.episode(item).sends(begin.clone()).saved().await;
    let ending = hub.fetch_of("b").await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).sends(begin).saved().await;
    hub.episode(ending).completes(0).saved().await;
    assert_eq!(hub.state("b").await.runtime_status, RuntimeStatus::Completed);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn what_begins_anew_survives_a_restart(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("b").await;
    let ending = hub.fetch_of("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).sends(start("b", "second", hub.now())).saved().await;
    hub.episode(ending).completes(0).saved().await;
    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("b").await;
    assert_eq!((item.execution.as_str(), names(&item.messages)), ("second", vec!["ExecutionStarted"]));
    hub.episode(item).completes(0).saved().await;
    let hub = stage.restarted(hub).await;
    hub.insist_on_no_more_work().await;
}

// R1:SUB-1, R1:SUB-4
pub(super) async fn an_episode_begins_another_instance_and_sends_it_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (begin, follow) = (start("b", "child", hub.now()), super::fixtures::event("b", 7, hub.now()));
    hub.episode(item).sends(begin.clone()).sends(follow).saved().await;
    let state = hub.state("b").await;
    assert_eq!((state.runtime_status, state.execution_id.as_str()), (RuntimeStatus::Pending, "child"));
    let item = hub.fetch_of("b").await;
    assert_eq!((item.execution.as_str(), item.past), ("child", Past::Empty));
    assert_eq!(names(&item.messages), ["ExecutionStarted", "EventRaised"]);
    assert_eq!(item.messages[0].event, begin.event);
    let began = hub.provider.load_start(&item).await.expect("the item is held");
    assert_eq!(EventKind::ExecutionStarted(Box::new(began)), begin.event.kind);
    hub.episode(item).completes(0).saved().await;
}

pub(super) async fn a_checkpoint_that_is_refused_begins_nothing(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (stale, checkpoint) = hub.episode(item.clone()).sends(start("b", "child", hub.now())).parts();
    hub.episode(item).saved().await;
    refused(hub.provider.checkpoint(stale, checkpoint).await, &ProviderErrorKind::LockLost);
    assert!(hub.provider.read_state(&id("b")).await.expect("the store can be read").is_none());
    hub.insist_on_no_more_work().await;
}

// DECISIONS 17
pub(super) async fn a_start_for_an_ended_instance_begins_it_anew(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).sends(start("b", "second", hub.now())).saved().await;
    let item = hub.fetch_of("b").await;
    assert_eq!((item.execution.as_str(), item.past), ("second", Past::Empty));
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
    let state = hub.state("b").await;
    assert_eq!((state.generation, state.input, state.output), (1, json("second"), Default::default()));
    hub.episode(item).saved().await;
}

// Whoever asked for it must hear that the id is taken, which only the live one can say.
pub(super) async fn a_start_for_a_live_instance_reaches_it_like_any_message(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    let before = hub.state("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let begin = start("b", "rival", hub.now());
    hub.episode(item).sends(begin.clone()).saved().await;
    let item = hub.fetch_of("b").await;
    assert_eq!(item.execution, before.execution_id);
    assert_eq!(item.messages, [begin]);
    hub.episode(item).without_events().saved().await;
    assert_eq!(hub.state("b").await.execution_id, before.execution_id);
}

// DECISIONS 8, 9
pub(super) async fn what_an_execution_leaves_behind_runs_under_its_own_name(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let first = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    let (item, mut checkpoint) = hub.episode(item).parts();
    let kind = EventKind::TaskScheduled {
        name: "late".into(),
        version: None,
        input: json(0),
        attempt: durable::model::Attempt::ONLY,
    };
    let scheduled = HistoryEvent::action(EventId::FIRST, hub.now(), kind);
    let start = start("a", "second", hub.now());
    checkpoint.execution = start.execution.clone().expect("a start names its execution");
    checkpoint.replaces = true;
    checkpoint.events = vec![
        HistoryEvent::new(hub.now(), EventKind::OrchestratorStarted),
        start.event,
        HistoryEvent::new(
            hub.now(),
            EventKind::OrchestratorCompleted { digest: None, rest: Default::default() },
        ),
    ];
    checkpoint.orphans = vec![OrphanedActivity { execution: first.clone(), scheduled: scheduled.clone() }];
    hub.provider.checkpoint(item, checkpoint).await.expect("a held item can be checkpointed");
    let activity = hub.fetch_activity().await;
    assert_eq!((&activity.execution, &activity.scheduled), (&first, &scheduled));
    hub.complete(activity, 1).await;
    hub.raise("a", 2).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(item.execution.as_str(), "second");
    let heard = item.messages.iter().filter(|message| message.execution.as_ref() != Some(&first));
    assert_eq!(
        numbers(&heard.cloned().collect::<Vec<_>>()),
        [2],
        "an answer for the first may come, and names it"
    );
    hub.episode(item).saved().await;
}

// DECISIONS 19
pub(super) async fn a_failed_instance_lives_again_for_an_order_to_rewind(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let failed = hub.episode(item).calls(0, "greet").fails(1, "no luck").saved().await;
    let execution = hub.state("a").await.execution_id;
    hub.provider.send(rewound("a", hub.now())).await.expect("it has failed");
    let state = hub.state("a").await;
    assert_eq!((state.runtime_status, &state.failure), (RuntimeStatus::Running, &None));
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["ExecutionRewound"]);
    assert_eq!(item.execution, execution);
    assert_eq!(hub.provider.load_history(&item).await.expect("the item is held").events(), failed.events);

    let kept: Vec<_> = failed.events[..2].to_vec();
    let (item, mut checkpoint) = hub.episode(item).parts();
    checkpoint.replaces = true;
    checkpoint.events.clone_from(&kept);
    hub.provider.checkpoint(item, checkpoint).await.expect("a held item can be checkpointed");
    assert_eq!(hub.history("a").await.events(), kept);
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    let last = hub.episode(item).completes(0).saved().await;
    assert_eq!(hub.history("a").await.events(), [kept, last.events].concat());
    assert_eq!(hub.state("a").await.runtime_status, RuntimeStatus::Completed);
}

pub(super) async fn an_episode_lets_another_instance_live_again(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("b").await;
    let item = hub.fetch_of("b").await;
    hub.episode(item).fails(0, "no luck").saved().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).sends(rewound("b", hub.now())).sends(rewound("nobody", hub.now())).saved().await;
    assert_eq!(hub.state("b").await.runtime_status, RuntimeStatus::Running);
    assert_eq!(names(&hub.gather("b", 1).await), ["ExecutionRewound"]);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn only_a_failed_instance_lives_again(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("completed").await;
    hub.create("terminated").await;
    let item = hub.fetch_of("terminated").await;
    hub.episode(item).terminates(0, "enough").saved().await;
    for instance in ["completed", "terminated"] {
        let before = hub.state(instance).await;
        refused(hub.provider.send(rewound(instance, hub.now())).await, &ProviderErrorKind::Ended);
        assert_eq!(hub.state(instance).await, before);
    }
    refused(hub.provider.send(rewound("nobody", hub.now())).await, &ProviderErrorKind::NotFound);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn instances_that_follow_survive_a_restart(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("failed").await;
    let item = hub.fetch_of("failed").await;
    hub.episode(item).fails(0, "no luck").saved().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (begin, follow) = (start("b", "child", hub.now()), super::fixtures::event("b", 7, hub.now()));
    hub.episode(item).sends(begin).sends(follow).sends(rewound("failed", hub.now())).saved().await;
    let hub = stage.restarted(hub).await;
    let mut found = Vec::new();
    for _ in 0..2 {
        let item = hub.fetch().await;
        found.push((item.instance.to_string(), names(&item.messages)));
        hub.episode(item).without_events().saved().await;
    }
    found.sort();
    let expected = [
        ("b".to_owned(), vec!["ExecutionStarted", "EventRaised"]),
        ("failed".to_owned(), vec!["ExecutionRewound"]),
    ];
    assert_eq!(found, expected);
}
