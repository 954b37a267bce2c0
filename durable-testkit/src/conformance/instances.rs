//! Instances as clients make and read them.

use durable::{
    model::{Payload, RuntimeStatus},
    provider::ProviderErrorKind,
};

use super::fixtures::{Stage, id, json, names, numbers, start_of};

// R2:HUB-14; DECISIONS 3
pub(super) async fn a_new_instance_is_pending_with_all_it_was_given(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let mut new = start_of("a", hub.now());
    new.started.version = Some("2.0".into());
    new.started.tags.insert("customer".into(), "Ada".into());
    let accepted = hub.provider.create_instance(new.clone()).await.expect("the id is free");

    let state = hub.state("a").await;
    assert_eq!(state, accepted, "what is accepted is what is read");
    assert_eq!(state.runtime_status, RuntimeStatus::Pending);
    assert_eq!((&state.name, &state.version), (&new.started.name, &new.started.version));
    assert_eq!((&state.instance_id, &state.execution_id), (&new.started.instance, &new.started.execution));
    assert_eq!((&state.input, &state.tags), (&new.started.input, &new.started.tags));
    assert_eq!((state.created_time, state.last_updated_time), (new.at, new.at));
    assert_eq!((state.output, state.custom_status), (Payload::null(), Payload::null()));
    assert_eq!((state.failure, state.generation), (None, 0));
}

pub(super) async fn an_unknown_instance_has_no_state(stage: Stage<'_>) {
    let hub = stage.hub().await;
    hub.create("a").await;
    assert_eq!(hub.provider.read_state(&id("b")).await.expect("the store can be read"), None);
}

pub(super) async fn an_unknown_instance_has_no_history(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let error = hub.provider.read_history(&id("b")).await.expect_err("there is no such instance");
    assert_eq!(error.kind, ProviderErrorKind::NotFound);
}

pub(super) async fn a_pending_instance_has_an_empty_history(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    assert!(hub.history("a").await.is_empty());
    let _held = hub.fetch_of("a").await;
    assert!(hub.history("a").await.is_empty(), "nothing has happened before the first checkpoint");
    assert_eq!(hub.state("a").await.runtime_status, RuntimeStatus::Pending);
}

// DECISIONS 7
pub(super) async fn ids_that_differ_in_case_are_different_instances(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let small = hub.create("order").await;
    let large = hub.create("Order").await;
    assert_eq!(hub.state("order").await, small);
    assert_eq!(hub.state("Order").await, large);
    assert_ne!(small.execution_id, large.execution_id);
}

// R1:ORCH-5 to R1:ORCH-8
pub(super) async fn ids_of_every_script_and_length_are_kept(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let longest = "é".repeat(256);
    let ids = ["größe", "日本 語", "a'b\"c;--", "%_*~`|", "..", " ", "e\u{301}", "\u{e9}", "🦀", &longest];
    for instance in ids {
        hub.create(instance).await;
        assert_eq!(hub.state(instance).await.instance_id.as_str(), instance);
        let item = hub.fetch_of(instance).await;
        hub.episode(item).completes(0).saved().await;
        assert_eq!(hub.history(instance).await.events().len(), 4, "{instance}");
    }
}

// R3:DIAG-25
pub(super) async fn payloads_are_kept_to_the_letter(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let texts = [
        "90.0",
        "12345678901234567890123456789",
        "{ \"b\" : 1,\n\"a\":[ ] }",
        r#""\u0000 \ud83e\udd80 🦀 größe""#,
        "\"\"",
        "null",
        "-0",
        "1E+2",
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let instance = format!("i{number}");
        let mut new = start_of(&instance, hub.now());
        new.started.input = Payload::from_json(text).expect("the text is JSON");
        hub.provider.create_instance(new.clone()).await.expect("the id is free");
        assert_eq!(hub.state(&instance).await.input.as_json(), text);

        let item = hub.fetch_of(&instance).await;
        let saved = hub.episode(item).completes(0).saved().await;
        let history = hub.history(&instance).await;
        assert_eq!(history.events(), saved.events);
        assert_eq!(history.started().map(|started| started.input.as_json()), Some(text));
    }
}

pub(super) async fn a_payload_of_a_mebibyte_is_kept(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let large = json("x".repeat(1024 * 1024 - 2));
    let mut new = start_of("a", hub.now());
    new.started.input = large.clone();
    hub.provider.create_instance(new).await.expect("the id is free");
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "echo").saved().await;
    assert!(hub.state("a").await.input == large);

    let activity = hub.fetch_activity().await;
    let kind = durable::history::EventKind::TaskCompleted { task: activity.scheduled.id, result: large };
    let result = durable::history::HistoryEvent::new(hub.now(), kind);
    hub.provider.complete_activity(activity, result.clone()).await.expect("a held activity");
    let item = hub.fetch_of("a").await;
    assert!(item.messages.iter().any(|message| message.event == result));
    let saved = hub.episode(item).completes(1).saved().await;
    assert!(hub.history("a").await.events().ends_with(&saved.events));
}

// R1:CHAIN-11, R2:HUB-1
pub(super) async fn a_client_needs_no_worker(stage: Stage<'_>) {
    let hub = stage.hub().await;
    hub.create("a").await;
    hub.raise("a", 1).await;
    hub.raise("a", 2).await;
    assert_eq!(hub.state("a").await.runtime_status, RuntimeStatus::Pending);

    hub.provider.begin_work().await.expect("a fresh hub can be worked");
    let messages = hub.gather("a", 3).await;
    assert_eq!(names(&messages)[0], "ExecutionStarted");
    assert_eq!(numbers(&messages), [1, 2]);
}

pub(super) async fn instances_do_not_see_each_other(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["a", "b"] {
        hub.begin(instance).await;
    }
    hub.raise("b", 7).await;
    let before = hub.history("a").await;
    let item = hub.fetch_of("b").await;
    assert_eq!(numbers(&item.messages), [7]);
    hub.episode(item).publishes("only b").completes(0).saved().await;
    assert_eq!(hub.history("a").await, before);
    assert_eq!(hub.state("a").await.custom_status, Payload::null());
}
