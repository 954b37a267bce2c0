//! What expanded code does: functions stay functions, proxies say what to do, handlers turn stored
//! inputs into stored outputs. Knows no engine and no store.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use durable::{
    activity,
    call::{ActivityCall, ActivityRequest, Call, Callable, Called, OrchestrationCall, RunId, Startable},
    context::{ActivityContext, OrchestrationContext},
    model::{Failure, FailureKind, FunctionName, FunctionVersion, Payload, Timestamp},
    orchestrator,
    provider::Reuse,
    registry::{Definition, Registry},
};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};

#[activity]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity]
async fn with_context(ctx: ActivityContext, city: String) -> String {
    format!("{} greets {city}", ctx.instance_id())
}

#[activity]
async fn with_borrowed_context(ctx: &ActivityContext) -> u32 {
    ctx.attempt()
}

#[activity]
async fn add(left: i64, right: i64, (scale, _): (i64, u8)) -> Result<i64, Failure> {
    Ok((left + right) * scale)
}

#[activity(name = "E1_SayHello", version = "2")]
async fn renamed(with: String) -> String {
    with
}

#[activity]
async fn nothing(_ctx: ActivityContext) {}

#[orchestrator]
async fn hello_sequence(ctx: OrchestrationContext, cities: Vec<String>) -> Result<Vec<String>, Failure> {
    let _ = ctx;
    Ok(cities)
}

#[orchestrator(name = "Monitor")]
async fn monitor(_ctx: OrchestrationContext) -> bool {
    true
}

mod errors {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq, thiserror::Error)]
    #[error("only {available} left")]
    pub(super) struct OutOfStock {
        pub(super) available: u32,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("could not ask")]
    pub(super) struct Plain(#[source] std::io::Error);

    /// As `anyhow::Error`: no error itself, but becomes a boxed one.
    pub(super) struct Anyhow(pub(super) &'static str);

    impl From<Anyhow> for Box<dyn Error + Send + Sync> {
        fn from(error: Anyhow) -> Self {
            error.0.into()
        }
    }

    pub(super) struct Own;

    impl From<Own> for Failure {
        fn from(_: Own) -> Self {
            Self::new("my own words").non_retriable()
        }
    }

    #[activity]
    pub(super) async fn typed() -> Result<(), OutOfStock> {
        Err(OutOfStock { available: 3 })
    }
    #[activity]
    pub(super) async fn plain() -> Result<(), Plain> {
        Err(Plain(std::io::Error::other("line cut")))
    }
    #[activity]
    pub(super) async fn like_anyhow() -> Result<(), Anyhow> {
        Err(Anyhow("boxed"))
    }
    #[activity]
    pub(super) async fn own() -> Result<(), Own> {
        Err(Own)
    }
    #[activity]
    pub(super) async fn failure() -> Result<(), Failure> {
        Err("a failure")?
    }
    #[activity]
    pub(super) async fn text() -> Result<(), String> {
        Err("a text".into())
    }
    #[activity]
    pub(super) async fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(Plain(std::io::Error::other("in a box")))?
    }
    #[activity]
    pub(super) async fn io() -> std::io::Result<u8> {
        Err(std::io::Error::other("disk"))
    }
    #[activity]
    pub(super) async fn formatting() -> fmt::Result {
        Err(fmt::Error)
    }
}

/// What the engine would do with the activity: stored input in, stored output out.
fn run<D: Definition>(input: &str) -> Result<String, Failure> {
    let registry = Registry::builder().add::<D>().build().unwrap();
    let name = FunctionName::literal(D::REGISTRATION.name());
    let version = D::REGISTRATION.version().map(FunctionVersion::literal);
    let function = registry.activity(&name, version.as_ref()).unwrap();
    let answer = block_on(function(ActivityContext::for_test(), Payload::from_json(input).unwrap()));
    answer.map(|payload| payload.as_json().to_owned())
}

fn request_of(call: impl Callable) -> ActivityRequest {
    match call.into_call() {
        Called::Activity(request) => request,
        other => panic!("it calls something else: {other:?}"),
    }
}

fn input_of(call: impl Callable) -> String {
    request_of(call).input.unwrap().as_json().to_owned()
}

// R3:TEST-1, R3:TEST-3, R3:TEST-10, R3:TEST-11
#[test]
fn the_function_itself_is_called_in_a_unit_test() {
    assert_eq!(block_on(say_hello("Tokyo".into())), "Hello Tokyo!");
    assert_eq!(block_on(with_context(ActivityContext::for_test(), "Oslo".into())), "test greets Oslo");
}

// R1:CHAIN-3, R1:CHAIN-4; R3:BIND-20, R3:BIND-21, R1:TYP-6
#[test]
fn a_handler_reads_the_input_with_or_without_a_context() {
    assert_eq!(run::<say_hello>("\"Tokyo\"").unwrap(), "\"Hello Tokyo!\"");
    assert_eq!(run::<with_context>("\"Oslo\"").unwrap(), "\"test greets Oslo\"");
    assert_eq!(run::<with_borrowed_context>("null").unwrap(), "1");
    assert_eq!(run::<nothing>("null").unwrap(), "null");
}

// R1:TYP-7
#[test]
fn several_inputs_are_an_array_one_is_itself_none_is_null() {
    assert_eq!(input_of(add::with(1, 2, (3, 0))), "[1,2,[3,0]]");
    assert_eq!(input_of(say_hello::with("Tokyo")), "\"Tokyo\"");
    assert_eq!(input_of(nothing::with()), "null");
    assert_eq!(run::<add>("[1,2,[3,0]]").unwrap(), "9");
}

// R2:ERR-2; DECISIONS 21
#[test]
fn an_input_of_another_shape_fails_and_names_function_and_parameter() {
    let failure = run::<say_hello>("7").unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Payload);
    assert!(failure.message().contains("`city` of `say_hello`"), "{failure}");

    let failure = run::<add>("[1,2]").unwrap_err();
    assert!(
        failure.message().contains("takes 3 inputs") && failure.message().contains("brought 2"),
        "{failure}"
    );
    assert_eq!(run::<add>("{}").unwrap_err().kind(), FailureKind::Payload);
}

#[test]
fn a_text_parameter_takes_whatever_lends_a_text() {
    let owned = String::from("Oslo");
    let calls: Vec<ActivityCall<String>> =
        ["Tokyo", "Seattle"].iter().map(say_hello::with).chain([say_hello::with(&owned)]).collect();
    assert_eq!(calls.into_iter().map(input_of).collect::<Vec<_>>(), ["\"Tokyo\"", "\"Seattle\"", "\"Oslo\""]);
}

// R1:QS-2; R3:BIND-4, R3:BIND-16, R3:TEST-13
#[test]
fn name_and_version_come_from_the_attribute() {
    let registration = renamed::REGISTRATION;
    assert_eq!((registration.name(), registration.version()), ("E1_SayHello", Some("2")));
    assert_eq!(monitor::REGISTRATION.name(), "Monitor");
    assert_eq!(say_hello::REGISTRATION.name(), "say_hello");

    let request = request_of(renamed::with("x"));
    assert_eq!(request.name.as_str(), "E1_SayHello");
    assert_eq!(request.version, Some(FunctionVersion::literal("2")));
    assert_eq!(run::<renamed>("\"x\"").unwrap(), "\"x\"");
}

#[test]
fn a_registration_names_its_place_in_the_source() {
    let place = say_hello::REGISTRATION.place();
    let (file, line) = place.rsplit_once(':').unwrap();
    assert!(file.ends_with("functions.rs"), "{place}");
    let source = include_str!("functions.rs").lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(source.contains("#[activity]") || source.contains("say_hello"), "{source}");
}

// R2:ERR-2
#[test]
fn every_kind_of_error_becomes_a_failure() {
    assert_eq!(run::<errors::own>("null").unwrap_err().message(), "my own words");
    assert!(!run::<errors::own>("null").unwrap_err().is_retriable());
    assert_eq!(run::<errors::failure>("null").unwrap_err().message(), "a failure");
    assert_eq!(run::<errors::text>("null").unwrap_err().message(), "a text");
    assert_eq!(run::<errors::like_anyhow>("null").unwrap_err().message(), "boxed");
    assert_eq!(run::<errors::io>("null").unwrap_err().message(), "disk");
    assert!(run::<errors::formatting>("null").is_err());

    let boxed = run::<errors::boxed>("null").unwrap_err();
    assert_eq!(boxed.cause().unwrap().message(), "in a box");
    let plain = run::<errors::plain>("null").unwrap_err();
    assert!(plain.error_type().ends_with("Plain"), "{}", plain.error_type());
    assert_eq!(plain.cause().unwrap().message(), "line cut");
    assert_eq!(plain.downcast::<errors::OutOfStock>(), None);
}

#[test]
fn an_error_that_can_be_stored_comes_back_typed() {
    let failure = run::<errors::typed>("null").unwrap_err();
    assert_eq!(failure.message(), "only 3 left");
    assert_eq!(failure.downcast(), Some(errors::OutOfStock { available: 3 }));
}

#[test]
fn an_output_that_json_cannot_hold_is_a_failure() {
    #[activity]
    async fn keyed_by_list() -> std::collections::BTreeMap<Vec<u8>, u8> {
        [(vec![1], 1)].into()
    }
    let failure = run::<keyed_by_list>("null").unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Payload);
    assert!(failure.message().contains("output of `keyed_by_list`"), "{failure}");
    assert!(
        request_of(Call::<()>::activity("f", std::collections::BTreeMap::from([(vec![1], 1)])))
            .input
            .is_err()
    );
}

// R4:MGMT-20
#[test]
fn options_ride_on_the_value() {
    let time = Timestamp::from_microseconds(5);
    let call: OrchestrationCall<Vec<String>> = hello_sequence::with(vec!["Tokyo".into()]);
    let request = call
        .instance_id("order-17")
        .version("3")
        .tag("city", "Oslo")
        .tag("city", "Tokyo")
        .reuse(Reuse::Never)
        .at(time)
        .into_start();
    assert_eq!(request.name.as_str(), "hello_sequence");
    assert_eq!(request.input.unwrap().as_json(), "[\"Tokyo\"]");
    assert_eq!(request.instance.unwrap().unwrap().as_str(), "order-17");
    assert_eq!(request.version.unwrap().as_str(), "3");
    assert_eq!(request.tags.into_iter().collect::<Vec<_>>(), [("city".into(), "Tokyo".into())]);
    assert_eq!((request.scheduled_start, request.reuse), (Some(time), Reuse::Never));
}

// R1:ORCH-6
#[test]
fn a_bad_instance_id_waits_in_the_value() {
    assert!(monitor::with().instance_id("@a").into_start().instance.unwrap().is_err());
    let run: RunId<bool> = monitor::at("@a");
    assert!(run.into_instance_id().is_err());
    assert_eq!(hello_sequence::at(17).into_instance_id().unwrap().as_str(), "17");
}

// R3:BIND-15; R1:QS-19, R4:MGMT-21
#[test]
fn names_known_at_run_time_say_the_same() {
    let by_name = request_of(Call::<String>::activity("say_hello", "Tokyo"));
    let by_proxy = request_of(say_hello::with("Tokyo"));
    assert_eq!(by_name.name, by_proxy.name);
    assert_eq!(by_name.input.unwrap(), by_proxy.input.unwrap());

    let retyped: ActivityCall<u8> = Call::<Payload>::activity("f", ()).version("2").returning();
    assert_eq!(request_of(retyped).version.unwrap().as_str(), "2");
    assert_eq!(Call::<u8>::orchestration("o", [1]).into_start().input.unwrap().as_json(), "[1]");
}

mod nested {
    pub(crate) mod deep {
        #[durable::activity]
        pub(in crate::nested) async fn hidden(n: u8) -> u8 {
            n
        }
        #[durable::activity]
        pub(crate) async fn shown(n: u8) -> u8 {
            n
        }
    }
    pub(crate) fn call() -> durable::call::ActivityCall<u8> {
        deep::hidden::with(1)
    }
}

#[test]
fn one_use_imports_function_and_proxy_also_under_another_name() {
    use nested::deep::shown as other;
    assert_eq!(block_on(other(3)), 3);
    assert_eq!(input_of(other::with(3)), "3");
    assert_eq!(input_of(nested::call()), "1");
}

// Replay rule 3.
#[test]
fn select_prefers_the_upper_branch() {
    for _ in 0..50 {
        let winner = block_on(async {
            durable::select! {
                winner = async { 1 } => winner,
                winner = async { 2 } => winner,
            }
        });
        assert_eq!(winner, 1);
    }
}

#[test]
fn a_panic_in_a_function_reaches_whoever_runs_it() {
    #[activity]
    async fn panics() -> u8 {
        panic!("on purpose")
    }
    assert!(catch_unwind(AssertUnwindSafe(|| run::<panics>("null"))).is_err());
}
