//! What a hub keeps: every kind of data that goes through it, to the letter, as long as nobody purges it.
//!
//! A file is closed and opened again between writing and reading. Begin with
//! [`everything_that_went_through_a_hub_is_still_there_when_it_is_opened_again`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::time::Duration;

use durable::{
    Error,
    history::{EventKind, History, format},
    prelude::*,
};
use durable_tests::Folder;
use serde::{Deserialize, Serialize};

/// Numbers, texts and keys that careless storage would change.
const DELICATE: &str =
    r#"{"z":90.0,"a":18446744073709551615,"date":"2026-01-01T00:00:00Z","text":"é\n\u0001"}"#;

#[activity]
async fn copies(document: Payload) -> Payload {
    document
}

#[activity]
async fn breaks(part: String) -> Result<(), String> {
    Err(format!("{part} is broken"))
}

#[orchestrator]
async fn passes_on(_ctx: OrchestrationContext, document: Payload) -> Payload {
    document
}

/// Lets one of each kind of data through.
#[orchestrator]
async fn uses_everything(ctx: OrchestrationContext, document: Payload) -> Result<Payload, Failure> {
    let copy = ctx.call(copies::with(document)).await?;
    let copy = ctx.call(passes_on::with(copy)).await?;
    ctx.sleep(Duration::ZERO).await?;
    let broken = ctx.call(breaks::with("the lid")).await.unwrap_err();
    ctx.set_custom_status(&broken.message())?;
    let answer = ctx.call_http(HttpRequest::get("https://site.example/a").header("X-Trace", "17")).await?;
    let event: Payload = ctx.wait_for("Document").await?;
    assert_eq!((copy.as_json(), answer.status()), (event.as_json(), 200));
    Ok(event)
}

#[orchestrator]
async fn fails_at_once(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(breaks::with("the bottom")).await
}

fn all_json(history: &History) -> String {
    String::from_utf8(format::encode(history.events()).unwrap()).unwrap()
}

// R2:SER-1 to R2:SER-4, R2:SER-6, R2:SER-7, R2:SER-16, R1:TYP-2
#[tokio::test]
async fn everything_that_went_through_a_hub_is_still_there_when_it_is_opened_again() {
    let folder = Folder::new("persistence").unwrap();
    let address = folder.hub("hub.db");
    let document = || Payload::from_json(DELICATE).unwrap();
    {
        let hub = TaskHub::open(&address).await.unwrap();
        let site = |_: HttpRequest| async { Ok(HttpResponse::new(200).content("welcome")) };
        let worker = hub.worker().http_client(site).start().await.unwrap();
        let client = hub.client();
        let run = client.start(uses_everything::with(document()).instance_id("used")).await.unwrap();
        client.raise(&run, "Document", document()).await.unwrap();
        assert_eq!(run.output().await.unwrap().as_json(), DELICATE);
        let failed = client.start(fails_at_once::with().instance_id("failed")).await.unwrap();
        failed.wait_for_end().await.unwrap();
        let ended = client.start(uses_everything::with(document()).instance_id("ended")).await.unwrap();
        ended.terminate("it was time to be done").await.unwrap();
        ended.wait_for_end().await.unwrap();
        worker.shut_down().await.unwrap();
    }

    let hub = TaskHub::open(&address).await.unwrap();
    let client = hub.client();
    let run = client.run(uses_everything::at("used")).unwrap();
    let state = run.state().await.unwrap().unwrap();
    assert_eq!((state.input.as_json(), state.output.as_json()), (DELICATE, DELICATE));
    assert_eq!(state.custom_status.as_json(), r#""the lid is broken""#);
    let history = run.history().await.unwrap();
    for kind in [
        "ExecutionStarted",
        "TaskScheduled",
        "TaskCompleted",
        "SubOrchestrationInstanceCreated",
        "SubOrchestrationInstanceCompleted",
        "TimerCreated",
        "TimerFired",
        "TaskFailed",
        "EventRaised",
        "ExecutionCompleted",
    ] {
        assert!(history.names().contains(&kind), "{kind}");
    }
    let raised = history.events().iter().find_map(|event| match &event.kind {
        EventKind::EventRaised { name, input } => Some((name.to_string(), input.as_json().to_owned())),
        _ => None,
    });
    assert_eq!(raised.unwrap(), ("Document".to_owned(), DELICATE.to_owned()));
    let json = all_json(&history);
    for part in
        ["uses_everything", "copies", "the lid is broken", "https://site.example/a", "x-trace", "welcome"]
    {
        assert!(json.contains(part), "{part}: {json}");
    }
    let failed = client.run(fails_at_once::at("failed")).unwrap();
    assert_eq!(failed.state().await.unwrap().unwrap().failure.unwrap().message(), "the bottom is broken");
    let ended = client.run(uses_everything::at("ended")).unwrap();
    assert!(
        matches!(ended.output().await, Err(Error::Terminated { reason, .. }) if reason == "it was time to be done")
    );
    assert_eq!(run.purge().await.unwrap(), 1);
    assert!(run.state().await.unwrap().is_none());
}

/// A card number that is unreadable wherever it is stored. (What stands in for a cipher here is none.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
struct Card(String);

impl From<String> for Card {
    fn from(stored: String) -> Self {
        Self(stored.chars().rev().collect())
    }
}

impl From<Card> for String {
    fn from(card: Card) -> Self {
        card.0.chars().rev().collect()
    }
}

#[activity]
async fn charges(card: Card) -> Card {
    assert_eq!(card.0, "4000-1234");
    card
}

#[orchestrator]
async fn pays(ctx: OrchestrationContext, card: Card) -> Result<Card, Failure> {
    ctx.set_custom_status(&card)?;
    ctx.call(charges::with(card)).await
}

// R2:SER-8, R2:SER-9, R2:SER-13
#[tokio::test]
async fn what_a_type_hides_in_its_own_serialize_is_readable_nowhere_in_the_hub() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let card = Card("4000-1234".into());
    let run = hub.client().start(pays::with(card.clone())).await.unwrap();
    assert_eq!(run.output().await.unwrap(), card);
    let stored = all_json(&run.history().await.unwrap())
        + &serde_json::to_string(&run.state().await.unwrap().unwrap()).unwrap();
    assert!(stored.contains("4321-0004") && !stored.contains("4000-1234"), "{stored}");
    worker.shut_down().await.unwrap();
}
