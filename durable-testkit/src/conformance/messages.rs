//! Messages on their way: to whom, in which order, how often.

use durable::{
    history::{EventKind, HistoryEvent},
    provider::ProviderErrorKind,
};

use super::fixtures::{Stage, event, names, numbers, refused};

// DECISIONS 5
pub(super) async fn an_unknown_instance_takes_no_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    refused(hub.provider.send(event("nobody", 1, hub.now())).await, &ProviderErrorKind::NotFound);
    hub.create("nobody").await;
    assert_eq!(names(&hub.fetch_of("nobody").await.messages), ["ExecutionStarted"]);
}

// DECISIONS 5
pub(super) async fn an_ended_instance_takes_no_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["completed", "failed", "terminated"] {
        hub.create(instance).await;
        let item = hub.fetch_of(instance).await;
        let episode = hub.episode(item);
        match instance {
            "completed" => episode.completes(0).saved().await,
            "failed" => episode.fails(0, "no luck").saved().await,
            _ => episode.terminates(0, "enough").saved().await,
        };
        refused(hub.provider.send(event(instance, 1, hub.now())).await, &ProviderErrorKind::Ended);
    }
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_message_arrives_as_it_was_sent(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let mut sent = event("a", 1, hub.now());
    let input = durable::model::Payload::from_json("{\"größe\": 90.0 }").expect("the text is JSON");
    sent.event.kind = EventKind::EventRaised { name: "Größe ändern".into(), input };
    hub.provider.send(sent.clone()).await.expect("the instance takes messages");
    let item = hub.fetch_of("a").await;
    assert_eq!(item.messages, [sent]);
    let EventKind::EventRaised { name, .. } = &item.messages[0].event.kind else { panic!("{item:?}") };
    assert_eq!(name.as_str(), "Größe ändern", "the spelling is kept, though names match without case");
}

pub(super) async fn every_kind_of_message_arrives(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let kinds = [
        EventKind::ExecutionSuspended { reason: "lunch".into() },
        EventKind::ExecutionResumed { reason: "coffee".into() },
        EventKind::GenericEvent { data: "ping".into() },
        EventKind::ExecutionTerminated { reason: "night".into(), recursive: false },
    ];
    for kind in &kinds {
        let mut message = event("a", 0, hub.now());
        message.event = HistoryEvent::new(hub.now(), kind.clone());
        hub.provider.send(message).await.expect("the instance takes messages");
    }
    let arrived: Vec<_> = hub.gather("a", 4).await.into_iter().map(|message| message.event.kind).collect();
    assert_eq!(arrived, kinds);
}

// R1:EVT-10
pub(super) async fn the_messages_of_one_sender_keep_their_order(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    for number in 0..500 {
        hub.raise("a", number).await;
    }
    assert_eq!(numbers(&hub.gather("a", 500).await), (0..500).collect::<Vec<_>>());
}

pub(super) async fn ten_thousand_messages_all_arrive_once_and_in_order(stage: Stage<'_>) {
    const COUNT: u64 = 10_000;
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let sends = (0..COUNT).map(|number| hub.provider.send(event("a", number, hub.now())));
    for sent in futures::future::join_all(sends).await {
        sent.expect("the instance takes messages");
    }
    let mut arrived = numbers(&hub.gather("a", 10_000).await);
    hub.insist_on_no_more_work().await;
    arrived.sort_unstable();
    assert_eq!(arrived, (0..COUNT).collect::<Vec<_>>());
}

// R1:EVT-11
pub(super) async fn an_episode_sends_messages_to_another_instance_in_order_and_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let at = hub.now();
    let episode = (1..=100).fold(hub.episode(item), |episode, number| episode.sends(event("b", number, at)));
    episode.saved().await;
    let messages = hub.gather("b", 100).await;
    assert_eq!(numbers(&messages), (1..=100).collect::<Vec<_>>());
    hub.insist_on_no_more_work().await;
}

pub(super) async fn messages_of_two_episodes_keep_their_order(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    let held = {
        hub.raise("b", 0).await;
        hub.fetch_of("b").await
    };
    hub.create("a").await;
    for number in 1..=5 {
        let item = hub.fetch_of("a").await;
        hub.raise("a", 0).await;
        hub.episode(item).sends(event("b", number, hub.now())).saved().await;
    }
    hub.episode(held).saved().await;
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let item = hub.fetch().await;
        if item.instance.as_str() == "b" {
            seen.extend(numbers(&item.messages));
        }
        hub.episode(item).saved().await;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

pub(super) async fn an_episode_may_send_a_message_to_its_own_instance(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let to_itself = event("a", 3, hub.now());
    hub.episode(item).sends(to_itself).saved().await;
    assert_eq!(numbers(&hub.gather("a", 1).await), [3]);
    hub.insist_on_no_more_work().await;
}

// DECISIONS 5
pub(super) async fn an_episode_may_send_to_one_that_is_not_there(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("ended").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let at = hub.now();
    let saved = hub.episode(item).sends(event("nobody", 1, at)).sends(event("ended", 2, at)).saved().await;
    assert_eq!(hub.history("a").await.events(), saved.events);
    hub.insist_on_no_more_work().await;
    assert_eq!(hub.history("ended").await.names().len(), 4);
}

pub(super) async fn what_comes_too_late_is_dropped_at_the_end(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    for number in 0..10 {
        hub.raise("a", number).await;
    }
    hub.episode(item).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
    assert_eq!(hub.history("a").await.names().len(), 4);
}

pub(super) async fn an_episode_that_ends_still_sends_its_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let message = event("b", 4, hub.now());
    hub.episode(item).sends(message).completes(0).saved().await;
    assert_eq!(numbers(&hub.fetch_of("b").await.messages), [4]);
}
