//! The functions a process has: found, listed in order, refused when they clash.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::sync::Arc;

use durable::{
    activity,
    context::{ActivityContext, OrchestrationContext},
    model::{Failure, Payload},
    orchestrator,
    registry::{ActivityFn, Definition, FunctionKind, Registry},
};
use futures::executor::block_on;

#[activity]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity(name = "E1_SayHello", version = "2")]
async fn renamed(city: String) -> String {
    city
}

#[orchestrator(name = "Monitor")]
async fn monitor(_ctx: OrchestrationContext) -> bool {
    true
}

mod nested {
    #[durable::activity]
    async fn hidden(n: u8) -> u8 {
        n
    }
}

/// What `function` answers to `input`, both as JSON.
fn answer(function: &ActivityFn, input: &str) -> Result<String, Failure> {
    let input = Payload::from_json(input).unwrap();
    block_on(function(ActivityContext::for_test(), input)).map(|payload| payload.as_json().to_owned())
}

#[test]
fn closures_are_registered_by_name() {
    let registry = Registry::builder()
        .activity("Double", |_ctx, n: i64| async move { Ok::<_, Failure>(n * 2) })
        .orchestrator("Nothing", |_ctx, (): ()| async { Ok::<_, Failure>(()) })
        .build()
        .unwrap();
    let double = registry.activity(&"Double".into(), None).unwrap();
    assert_eq!(answer(double, "4").unwrap(), "8");
    let failure = answer(double, "null").unwrap_err();
    assert!(failure.message().contains("input of `Double`"), "{failure}");
    assert!(registry.orchestrator(&"Nothing".into(), None).is_some());
    assert!(registry.orchestrator(&"Double".into(), None).is_none(), "each kind has its own names");
    assert!(registry.activity(&"double".into(), None).is_none(), "names are exact: DECISIONS 7");
}

// R1:SKIP-26
#[test]
fn duplicates_are_refused_with_both_places() {
    let twice = Registry::builder()
        .add::<say_hello>()
        .activity("say_hello", |_ctx, (): ()| async { Ok::<_, Failure>(()) })
        .add::<renamed>();
    let error = twice.build().unwrap_err();
    assert_eq!(error.duplicates().len(), 1);
    let duplicate = &error.duplicates()[0];
    assert_eq!((duplicate.kind, duplicate.name.as_str()), (FunctionKind::Activity, "say_hello"));
    assert_eq!(duplicate.first, say_hello::REGISTRATION.place());
    assert!(duplicate.second.contains("registry.rs:"), "{}", duplicate.second);
    let message = error.to_string();
    assert!(message.starts_with("two activities are called `say_hello`, at "), "{message}");
    assert!(message.contains("name = \"..\""), "{message}");
    assert!(message.contains(&duplicate.first) && message.contains(&duplicate.second), "{message}");
}

// R1:QS-2, R1:QS-12
#[test]
fn discovery_finds_every_annotated_function_in_the_order_of_names() {
    let registry = Registry::discover().unwrap();
    let found: Vec<_> = registry.functions().map(|(kind, name, _)| (kind, name.to_string())).collect();
    assert!(found.is_sorted(), "{found:?}");
    for name in ["say_hello", "hidden", "E1_SayHello"] {
        assert!(found.contains(&(FunctionKind::Activity, name.into())), "{name}");
    }
    assert!(found.contains(&(FunctionKind::Orchestrator, monitor::REGISTRATION.name().into())));
    assert!(registry.activity(&"E1_SayHello".into(), Some(&"2".into())).is_some());
    assert!(registry.activity(&"E1_SayHello".into(), None).is_none());
}

#[test]
fn a_test_replaces_an_activity_in_each_version() {
    let constant: ActivityFn = Arc::new(|_, _| Box::pin(async { Ok(Payload::from_json("1").unwrap()) }));
    let registry = Registry::discover().unwrap().with_activity("E1_SayHello", constant);
    for version in [None, Some("2".into())] {
        let function = registry.activity(&"E1_SayHello".into(), version.as_ref()).unwrap();
        assert_eq!(answer(function, "null").unwrap(), "1");
    }
}

#[test]
fn versions_of_one_name_stand_side_by_side() {
    #[activity(name = "say_hello", version = "2")]
    async fn say_hello_louder(city: String) -> String {
        format!("HELLO {city}!")
    }
    let registry = Registry::builder().add::<say_hello>().add::<say_hello_louder>().build().unwrap();
    let version = |version: Option<&str>| {
        let version = version.map(Into::into);
        let function = registry.activity(&"say_hello".into(), version.as_ref());
        function.map(|function| answer(function, "\"Oslo\"").unwrap())
    };
    assert_eq!(version(None).unwrap(), "\"Hello Oslo!\"");
    assert_eq!(version(Some("2")).unwrap(), "\"HELLO Oslo!\"");
    assert_eq!(version(Some("3")), None);
}
