//! The patterns of the documents, written as a user writes them: chaining, compensation, fan-out,
//! retry by hand, timeout, status.
//!
//! In virtual time and verify mode, or against a written history where the order of events matters.
//! Begin with [`what_one_activity_returns_is_given_to_the_next`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::time::Duration;

use durable::{Error, prelude::*};
use durable_testkit::{
    TestHub,
    history::{complete, completed, failed, fired, scheduled, started, timer},
    replay_of,
};
use durable_tests::gates;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

const MINUTE: Duration = Duration::from_secs(60);

#[activity]
async fn doubles(number: u64) -> u64 {
    number * 2
}

#[orchestrator]
async fn doubles_until(ctx: OrchestrationContext, mut number: u64, end: u64) -> Result<u64, Failure> {
    while number < end {
        number = ctx.call(doubles::with(number)).await?;
    }
    Ok(number)
}

// R1:OVR-2, R1:OVR-3, R1:ORCH-1, R1:ORCH-17
#[tokio::test]
async fn what_one_activity_returns_is_given_to_the_next() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(doubles_until::with(3, 40)).await.unwrap(), 48);
    assert_eq!(hub.run(doubles_until::with(50, 40)).await.unwrap(), 50);
}

#[activity]
async fn works_without_input() {
    gates::count("works_without_input");
}

#[orchestrator]
async fn calls_without_input(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(works_without_input::with()).await?;
    ctx.call(Call::<()>::activity("works_without_input", ())).await?;
    ctx.call(Call::<Payload>::activity("works_without_input", Payload::null())).await.map(drop)
}

// R1:OVR-4, R3:BIND-15, R4:MGMT-15
#[tokio::test]
async fn a_call_may_have_neither_input_nor_result() {
    let hub = TestHub::start().await.unwrap();
    hub.run(calls_without_input::with()).await.unwrap();
    assert_eq!(gates::counted("works_without_input"), 3);
}

#[activity]
async fn debits(account: String, amount: u32) {
    gates::count(&format!("debits {account} {amount}"));
}

#[activity]
async fn credits(account: String, amount: u32) -> Result<(), String> {
    gates::count(&format!("credits {account} {amount}"));
    if account == "closed" { Err("the account is closed".into()) } else { Ok(()) }
}

/// Whether the money went over; if not, it went back.
#[orchestrator]
async fn transfers(
    ctx: OrchestrationContext,
    from: String,
    to: String,
    amount: u32,
) -> Result<bool, Failure> {
    ctx.call(debits::with(&from, amount)).await?;
    match ctx.call(credits::with(to, amount)).await {
        Ok(()) => Ok(true),
        Err(failure) if failure.message().contains("closed") => {
            ctx.call(credits::with(from, amount)).await?;
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

// R1:OVR-5, R1:ORCH-29, R1:SKIP-27, R2:ERR-1, R2:ERR-3, R2:ERR-5
#[tokio::test]
async fn a_failure_that_is_caught_is_compensated_and_the_instance_completes() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(transfers::with("ada", "closed", 40)).await.unwrap();
    assert!(!hub.output(&run).await.unwrap());
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Completed);
    for done in ["debits ada 40", "credits closed 40", "credits ada 40"] {
        assert_eq!(gates::counted(done), 1, "{done}: every episode was replayed, no activity was");
    }
}

#[orchestrator]
async fn pays_back(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(credits::with("closed", 1)).await
}

// R2:ERR-4, R2:ERR-22, R1:ORCH-31, R2:MGT-25
#[tokio::test]
async fn a_failure_that_nobody_catches_fails_the_instance_for_good() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(pays_back::with()).await.unwrap();
    let error = hub.output(&run).await.unwrap_err();
    assert!(
        matches!(&error, Error::Failed { failure, .. } if failure.function().unwrap().as_str() == "credits")
    );
    let state = run.state().await.unwrap().unwrap();
    assert_eq!(state.runtime_status, RuntimeStatus::Failed);
    assert_eq!(state.failure.unwrap().message(), "the account is closed");
    assert_eq!(gates::counted("credits closed 1"), 1);
}

#[activity]
async fn lists(count: u32) -> Vec<u64> {
    (0..u64::from(count)).collect()
}

#[activity]
async fn sums(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

#[orchestrator]
async fn doubles_each(ctx: OrchestrationContext, count: u32) -> Result<(Vec<u64>, u64), Failure> {
    let batch = ctx.call(lists::with(count)).await?;
    let doubled = try_join_all(batch.into_iter().map(|number| ctx.call(doubles::with(number)))).await?;
    let sum = ctx.call(sums::with(doubled.clone())).await?;
    Ok((doubled, sum))
}

// R1:OVR-8, R1:OVR-10, R1:ORCH-13, R1:SMP-2
#[tokio::test]
async fn how_many_run_side_by_side_is_decided_at_run_time_and_may_be_none() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(doubles_each::with(4)).await.unwrap(), (vec![0, 2, 4, 6], 12));
    assert_eq!(hub.run(doubles_each::with(0)).await.unwrap(), (vec![], 0));
    let run = hub.client().start(doubles_each::with(4)).await.unwrap();
    hub.output(&run).await.unwrap();
    let names = hub.history(&run).await.unwrap().names().join(" ");
    assert!(
        names.contains("TaskCompleted TaskScheduled TaskScheduled TaskScheduled TaskScheduled Orch"),
        "{names}"
    );
}

// R1:OVR-9, R2:HUB-23, R2:HUB-17
#[test]
fn results_belong_to_their_calls_in_whatever_order_they_come() {
    replay_of::<doubles_each>()
        .history([started(2), scheduled(0, "lists").with(2)])
        .then([completed(0, [0, 1])])
        .asks_for([scheduled(1, "doubles").with(0), scheduled(2, "doubles").with(1)])
        .then([completed(2, 20)])
        .then([completed(1, 10)])
        .asks_for([scheduled(3, "sums").with([10, 20])])
        .then([completed(3, 30)])
        .asks_for([complete(([10, 20], 30))]);
}

#[orchestrator]
async fn first_of_two(ctx: OrchestrationContext) -> Result<u64, Failure> {
    let (upper, lower) = (ctx.call(doubles::with(1)), ctx.call(doubles::with(2)));
    durable::select! {
        number = upper => number,
        number = lower => number,
    }
}

// R1:CC-17, R1:SKIP-1
#[test]
fn the_first_event_wins_a_race_although_both_came_in_one_work_item() {
    replay_of::<first_of_two>()
        .then([started(())])
        .then([completed(1, 4), completed(0, 2)])
        .asks_for([complete(4)]);
}

/// Tries up to three times, a minute apart.
#[orchestrator]
async fn tries_thrice(ctx: OrchestrationContext) -> Result<u64, Failure> {
    let mut attempt = 1;
    loop {
        match ctx.call(doubles::with(attempt)).await {
            Err(_) if attempt < 3 => ctx.sleep(MINUTE).await?,
            ended => return ended,
        }
        attempt += 1;
    }
}

// R2:ERR-20
#[tokio::test]
async fn a_loop_with_a_timer_is_a_retry_by_hand() {
    let builder = TestHub::builder().replacing::<doubles>();
    let fails_twice = |attempt: u64| if attempt < 3 { Err("not yet") } else { Ok(attempt) };
    let hub = builder.by_result(fails_twice).start().await.unwrap();
    let began = hub.now();
    assert_eq!(hub.run(tries_thrice::with()).await.unwrap(), 3);
    assert_eq!(hub.now().duration_since(began), 2 * MINUTE);
}

/// Whether the activity ended within a minute.
#[orchestrator]
async fn ends_in_time(ctx: OrchestrationContext) -> Result<bool, Failure> {
    let (work, too_late) = (ctx.call(doubles::with(1)), ctx.sleep(MINUTE));
    durable::select! {
        number = work => number.map(|_| true),
        _ = too_late => Ok(false),
    }
}

// R2:ERR-21, R2:ERR-21a
#[test]
fn a_timeout_ends_the_wait_and_not_the_activity() {
    let asked = || {
        replay_of::<ends_in_time>()
            .then([started(())])
            .asks_for([scheduled(0, "doubles").with(1), timer(1, MINUTE)])
    };
    asked().then([completed(0, 2)]).asks_for([complete(true)]);
    asked().then([failed(0, "no")]).fails_with(durable::model::FailureKind::Application);
    // Nothing is asked for, but the activity that still runs holds the end back: DECISIONS 8.
    asked().then([fired(1)]).asks_for([]).then([completed(0, 2)]).asks_for([complete(false)]);
}

#[orchestrator]
async fn measures_time(ctx: OrchestrationContext) -> Result<(Duration, Duration), Failure> {
    let began = ctx.now();
    let at_once = ctx.now().duration_since(began);
    ctx.sleep(MINUTE).await?;
    Ok((at_once, ctx.now().duration_since(began)))
}

// R1:CC-2, R1:CC-3, R1:SKIP-3, R1:SMP-18
#[tokio::test]
async fn time_that_an_orchestrator_measures_is_the_time_that_passed() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(measures_time::with()).await.unwrap(), (Duration::ZERO, MINUTE));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Course {
    major: String,
    university_year: u32,
}

#[activity]
async fn recommends((major, university_year): (String, u32)) -> (Course, Payload) {
    let courses = Payload::from_json(format!(r#"{{"z":["{major} 1"],"a":1.0}}"#)).unwrap();
    (Course { major, university_year }, courses)
}

#[orchestrator]
async fn advises(ctx: OrchestrationContext, course: Course) -> Result<(Course, Payload), Failure> {
    ctx.call(recommends::with((course.major, course.university_year))).await
}

// R1:ORCH-41, R1:ORCH-42, R1:SKIP-43, R3:BIND-12, R3:BIND-13, R3:BIND-19, R1:SMP-17
#[tokio::test]
async fn tuples_structs_and_what_nobody_looks_into_pass_through() {
    let hub = TestHub::start().await.unwrap();
    let input = Payload::from_json(r#"{"major":"Biology","universityYear":2}"#).unwrap();
    let call = Call::<(Course, Payload)>::orchestration("advises", input);
    let (course, courses) = hub.run(call).await.unwrap();
    assert_eq!(course, Course { major: "Biology".into(), university_year: 2 });
    assert_eq!(courses.as_json(), r#"{"z":["Biology 1"],"a":1.0}"#, "to the letter");
}

#[orchestrator]
async fn only_greets(_ctx: OrchestrationContext, name: String) -> String {
    format!("Hello {name}!")
}

// R3:BIND-14, R3:BIND-9
#[tokio::test]
async fn an_orchestrator_that_calls_nothing_completes_in_its_first_episode() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(only_greets::with("Ada")).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "Hello Ada!");
    let four = ["OrchestratorStarted", "ExecutionStarted", "ExecutionCompleted", "OrchestratorCompleted"];
    assert_eq!(hub.history(&run).await.unwrap().names(), four);
}

#[activity]
async fn knows_its_call(ctx: ActivityContext, text: String) -> (String, String, i32, u32, String) {
    (ctx.instance_id().to_string(), ctx.name().to_string(), ctx.task_id(), ctx.attempt(), text)
}

#[orchestrator]
async fn asks_who_calls(ctx: OrchestrationContext) -> Result<(String, String, i32, u32, String), Failure> {
    ctx.call(works_without_input::with()).await?;
    ctx.call(knows_its_call::with("a")).await
}

// R3:BIND-20, R3:BIND-21, R3:SKIP-38, R3:TEST-14, R2:MGT-61, R4:MGMT-191
#[tokio::test]
async fn an_activity_knows_which_instance_calls_it() {
    let hub = TestHub::start().await.unwrap();
    let id = "7E467BDB-213F-407A-B86A-1954053D3C24";
    let seen = hub.run(asks_who_calls::with().instance_id(id)).await.unwrap();
    assert_eq!(seen, (id.into(), "knows_its_call".into(), 1, 1, "a".into()));
}
