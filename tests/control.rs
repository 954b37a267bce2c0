//! Orchestrations that are steered from outside: terminated, suspended, resumed.
//!
//! Both embedded stores, with kept sessions and without; nothing sleeps, and where time matters it is
//! virtual. Begin with [`what_comes_while_suspended_is_kept_in_order_over_a_restart`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::time::Duration;

use durable::{
    Error, client::Client, history::EventKind, model::FailureKind, prelude::*, provider::ProviderErrorKind,
};
use durable_testkit::TestHub;
use durable_tests::{
    Folder,
    functions::WORD,
    gates,
    places::{each_hub, names, until, until_recorded},
    well_formed,
};

const HOUR: Duration = Duration::from_secs(3600);

#[activity]
async fn gated(gate: String) -> String {
    gates::open(&format!("{gate} reached"));
    gates::pass(&gate).await;
    gates::count(&format!("{gate} passed"));
    gate
}

/// Calls an activity, collects four words meanwhile, and publishes how many it has.
#[orchestrator]
async fn collects(ctx: OrchestrationContext, gate: String) -> Result<(Vec<String>, String), Failure> {
    gates::count(&format!("{gate} polled"));
    let activity = ctx.call(gated::with(gate));
    let mut words = Vec::new();
    while words.len() < 4 {
        words.push(ctx.wait_for(WORD).await?);
        ctx.set_custom_status(&words.len())?;
    }
    Ok((words, activity.await?))
}

#[orchestrator]
async fn waits_at_gate(ctx: OrchestrationContext, gate: String) -> Result<String, Failure> {
    ctx.call(gated::with(gate)).await
}

#[orchestrator]
async fn naps(ctx: OrchestrationContext, hours: u32) -> Result<u32, Failure> {
    ctx.sleep(HOUR * hours).await?;
    Ok(hours)
}

#[orchestrator]
async fn echoes(_ctx: OrchestrationContext, text: String) -> String {
    text
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ProviderErrorKind {
    match result.unwrap_err() {
        Error::Provider(error) => error.kind,
        other => panic!("not an error of the store: {other:?}"),
    }
}

/// Waits for the end, which must be a termination that can be seen everywhere; gives the reason.
async fn reason_of_end<O: durable::model::Storable>(run: &Run<O>) -> String {
    let reason = match run.output().await.err() {
        Some(Error::Terminated { reason, instance }) => {
            assert_eq!(instance, *run.id());
            reason
        }
        other => panic!("it was not terminated: {other:?}"),
    };
    let state = run.state().await.unwrap().unwrap();
    assert_eq!(state.runtime_status, RuntimeStatus::Terminated);
    assert_eq!(state.output.read::<String>().unwrap(), reason);
    assert!(state.failure.is_none());
    let history = run.history().await.unwrap();
    well_formed(&history).unwrap();
    let end = ["ExecutionTerminated", "ExecutionCompleted", "OrchestratorCompleted"];
    assert!(names(&history).ends_with(&end), "{:?}", names(&history));
    let last = &history.events()[history.events().len() - 2].kind;
    assert!(
        matches!(last, EventKind::ExecutionCompleted { status: RuntimeStatus::Terminated, .. }),
        "{last:?}"
    );
    reason
}

async fn raise<O>(client: &Client, run: &Run<O>, word: &str) {
    client.raise(run, WORD, word.to_owned()).await.unwrap();
}

// R4:MGMT-36, R4:MGMT-40, R4:MGMT-169
// R2:MGT-45 to R2:MGT-48, R2:MGT-19, R2:MGT-27, R4:MGMT-68 to R4:MGMT-70, R4:MGMT-75; DECISIONS 10
#[tokio::test]
async fn what_comes_while_suspended_is_kept_in_order_over_a_restart() {
    let folder = Folder::new("suspended").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(collects::with(&place.key)).await.unwrap();
        raise(&client, &run, "a").await;
        run.suspend("lunch").await.unwrap();
        let suspended = until(&run, RuntimeStatus::Suspended).await;
        assert_eq!((suspended.output.as_json(), suspended.custom_status.as_json()), ("\"lunch\"", "1"));
        raise(&client, &run, "b").await;
        gates::open(&place.key);
        // Leaves only when the activity has ended, whose result comes while the instance is suspended.
        worker.shut_down().await.unwrap();
        let id = run.id().clone();
        drop((client, run));

        let place = place.reopened().await;
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.run(collects::at(id)).unwrap();
        raise(&client, &run, "c").await;
        raise(&client, &run, "d").await;
        until_recorded(&run, "EventRaised", 4).await;
        until_recorded(&run, "TaskCompleted", 1).await;
        let still = run.state().await.unwrap().unwrap();
        assert_eq!(still.runtime_status, RuntimeStatus::Suspended);
        assert_eq!(still.custom_status.as_json(), "1", "user code does not advance");
        run.resume("back").await.unwrap();
        let words = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        assert_eq!(run.output().await.unwrap(), (words, place.key.clone()));
        assert!(well_formed(&run.history().await.unwrap()).unwrap().is_empty());
        assert_eq!(gates::counted(&format!("{} passed", place.key)), 1);
        worker.shut_down().await.unwrap();
    }
}

// R4:MGMT-71, R4:MGMT-72, R2:MGT-47, R4:MGMT-169
#[tokio::test]
async fn suspending_twice_and_resuming_what_runs_does_no_harm() {
    let folder = Folder::new("twice").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(collects::with(&place.key)).await.unwrap();
        run.resume("it runs").await.unwrap();
        client.suspend(&run, "first").await.unwrap();
        client.suspend(&run, "second").await.unwrap();
        until_recorded(&run, "ExecutionSuspended", 2).await;
        let suspended = until(&run, RuntimeStatus::Suspended).await;
        assert_eq!(suspended.output.as_json(), "\"second\"");
        client.resume(&run, "").await.unwrap();
        let resumed = until(&run, RuntimeStatus::Running).await;
        assert_eq!(resumed.output.as_json(), "null", "the reason goes with the halt");
        // In line with each other, they end in `Running`.
        run.suspend("short").await.unwrap();
        run.resume("at once").await.unwrap();
        until_recorded(&run, "ExecutionResumed", 3).await;
        assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
        gates::open(&place.key);
        for word in ["a", "b", "c", "d"] {
            raise(&client, &run, word).await;
        }
        assert_eq!(run.output().await.unwrap().0, ["a", "b", "c", "d"]);
        well_formed(&run.history().await.unwrap()).unwrap();
        worker.shut_down().await.unwrap();
    }
}

// R2:MGT-48, R4:MGMT-75
#[tokio::test]
async fn a_timer_that_falls_due_while_suspended_is_seen_after_resuming() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(naps::with(1)).await.unwrap();
    run.wait_for_start().await.unwrap();
    run.suspend("night").await.unwrap();
    until(&run, RuntimeStatus::Suspended).await;
    hub.passing_time(until_recorded(&run, "TimerFired", 1)).await;
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Suspended);
    run.resume("morning").await.unwrap();
    assert_eq!(run.output().await.unwrap(), 1);
}

// R4:MGMT-67, DECISIONS 5
#[tokio::test]
async fn who_does_not_exist_or_has_ended_cannot_be_steered() {
    let folder = Folder::new("nobody").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let nobody = client.run(echoes::at("nobody")).unwrap();
        assert_eq!(kind(nobody.terminate("a").await), ProviderErrorKind::NotFound);
        assert_eq!(kind(nobody.suspend("a").await), ProviderErrorKind::NotFound);
        assert_eq!(kind(nobody.resume("a").await), ProviderErrorKind::NotFound);
        let ended = client.start(echoes::with("a")).await.unwrap();
        assert_eq!(ended.output().await.unwrap(), "a");
        assert_eq!(kind(ended.terminate("a").await), ProviderErrorKind::Ended);
        assert_eq!(kind(ended.suspend("a").await), ProviderErrorKind::Ended);
        assert_eq!(kind(ended.resume("a").await), ProviderErrorKind::Ended);
        assert_eq!(ended.output().await.unwrap(), "a", "it stays as it was");
        worker.shut_down().await.unwrap();
    }
}

#[tokio::test]
async fn a_reason_that_is_larger_than_a_payload_may_be_is_refused() {
    let hub = TaskHub::options().max_payload(100).open("memory:").await.unwrap();
    let run = hub.client().start(echoes::with("a")).await.unwrap();
    let Err(Error::Payload(failure)) = run.terminate("x".repeat(99)).await else { panic!("it is too large") };
    assert_eq!(failure.kind(), FailureKind::TooLarge);
    run.terminate("x".repeat(98)).await.unwrap();
}

// R2:MGT-41, R2:MGT-42, R4:MGMT-61, R4:MGMT-62, R4:MGMT-40, R4:MGMT-171
#[tokio::test]
async fn what_is_terminated_before_it_begins_never_begins() {
    let folder = Folder::new("pending").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let run = client.start(collects::with(&place.key)).await.unwrap();
        raise(&client, &run, "a").await;
        client.terminate(&run, "Found a bug").await.unwrap();
        client.terminate(&run, "again").await.unwrap();
        let state = run.state().await.unwrap().unwrap();
        assert_eq!(state.runtime_status, RuntimeStatus::Pending, "nobody works here yet");
        let worker = place.worker().await;
        assert_eq!(reason_of_end(&run).await, "Found a bug");
        assert_eq!(
            names(&run.history().await.unwrap())[..3],
            ["OrchestratorStarted", "ExecutionStarted", "ExecutionTerminated"]
        );
        worker.shut_down().await.unwrap();
        assert_eq!(gates::counted(&format!("{} polled", place.key)), 0);
    }
}

// R2:MGT-41
#[tokio::test]
async fn a_start_that_was_scheduled_for_later_is_terminated_now() {
    let folder = Folder::new("scheduled").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let far: Timestamp = "9999-01-01T00:00:00Z".parse().unwrap();
        let begin = || client.start(collects::with(&place.key).at(far));
        let before = begin().await.unwrap();
        before.terminate("before the worker").await.unwrap();
        let worker = place.worker().await;
        assert_eq!(reason_of_end(&before).await, "before the worker");
        let during = begin().await.unwrap();
        during.terminate("under the worker").await.unwrap();
        assert_eq!(reason_of_end(&during).await, "under the worker");
        worker.shut_down().await.unwrap();
        assert_eq!(gates::counted(&format!("{} polled", place.key)), 0);
    }
}

// R2:MGT-43, R2:MGT-26, R4:MGMT-64, R2:ERR-21a, R4:MGMT-172
#[tokio::test]
async fn an_activity_outlives_its_terminated_orchestration_and_its_result_goes_nowhere() {
    let folder = Folder::new("outlives").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let start = |gate: &str| client.start(waits_at_gate::with(gate).instance_id("order-17"));
        let run = start(&place.key).await.unwrap();
        gates::pass(&format!("{} reached", place.key)).await;
        run.terminate("enough").await.unwrap();
        assert_eq!(reason_of_end(&run).await, "enough");
        // Another one has the id when the activity returns.
        let other = format!("{} other", place.key);
        let second = start(&other).await.unwrap();
        gates::pass(&format!("{other} reached")).await;
        gates::open(&place.key);
        gates::open(&other);
        assert_eq!(second.output().await.unwrap(), other);
        worker.shut_down().await.unwrap();
        assert_eq!(gates::counted(&format!("{} passed", place.key)), 1, "it ran to its end");
        let answers = |name: &&&str| **name == "TaskCompleted";
        assert_eq!(names(&second.history().await.unwrap()).iter().filter(answers).count(), 1);
    }
}

// DECISIONS 10, R2:MGT-48
#[tokio::test]
async fn what_is_suspended_can_be_terminated_and_gets_nothing_of_what_was_kept() {
    let folder = Folder::new("halted").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(collects::with(&place.key)).await.unwrap();
        run.suspend("lunch").await.unwrap();
        until(&run, RuntimeStatus::Suspended).await;
        for word in ["a", "b", "c", "d"] {
            raise(&client, &run, word).await;
        }
        run.terminate("no more").await.unwrap();
        run.resume("too late").await.ok();
        assert_eq!(reason_of_end(&run).await, "no more");
        assert_eq!(run.state().await.unwrap().unwrap().custom_status.as_json(), "null");
        gates::open(&place.key);
        worker.shut_down().await.unwrap();
    }
}

// R2:MGT-41; DECISIONS 21
#[tokio::test]
async fn what_no_worker_can_continue_can_be_terminated() {
    let folder = Folder::new("unhandled").unwrap();
    for place in each_hub(&folder).await {
        let worker = place.worker().await;
        let begun = place.hub.client().start(collects::with(&place.key)).await.unwrap();
        raise(&place.hub.client(), &begun, "a").await;
        until_recorded(&begun, "EventRaised", 1).await;
        gates::open(&place.key);
        worker.shut_down().await.unwrap();

        let worker = {
            let functions = Registry::builder().add::<echoes>().build().unwrap();
            place.hub.worker().functions(functions).start().await.unwrap()
        };
        let client = place.hub.client();
        let pending = client.start(collects::with(&place.key)).await.unwrap();
        for run in [&begun, &pending] {
            run.terminate("nobody knows it").await.unwrap();
            assert_eq!(reason_of_end(run).await, "nobody knows it");
        }
        assert!(names(&begun.history().await.unwrap()).contains(&"EventRaised"), "the past is kept");
        worker.shut_down().await.unwrap();
    }
}

// R2:MGT-41: time stands still, so that whoever waited for the next try would wait for ever.
#[tokio::test]
async fn who_rests_because_no_worker_knows_it_is_terminated_at_once() {
    let functions = Registry::builder().add::<echoes>().build().unwrap();
    let hub = TestHub::builder().functions(functions).start().await.unwrap();
    let client = hub.client();
    let unknown = client.start(naps::with(1)).await.unwrap();
    // It stood in line behind the unknown one.
    assert_eq!(client.start(echoes::with("a")).await.unwrap().output().await.unwrap(), "a");
    unknown.terminate("nobody knows it").await.unwrap();
    assert_eq!(reason_of_end(&unknown).await, "nobody knows it");
}

// R2:MGT-43
#[tokio::test]
async fn the_timers_of_what_was_terminated_never_fire() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    let run = client.start(naps::with(1)).await.unwrap();
    run.wait_for_start().await.unwrap();
    run.terminate("enough").await.unwrap();
    assert_eq!(reason_of_end(&run).await, "enough");
    let before = (run.state().await.unwrap(), run.history().await.unwrap());
    assert_eq!(hub.run(naps::with(2)).await.unwrap(), 2);
    assert_eq!((run.state().await.unwrap(), run.history().await.unwrap()), before);
    assert!(!names(&before.1).contains(&"TimerFired"));
}

// R2:MGT-41
#[tokio::test]
async fn what_cannot_be_read_any_more_can_be_terminated() {
    let folder = Folder::new("unreadable").unwrap();
    let id = {
        let hub = TaskHub::open(folder.hub("hub.db")).await.unwrap();
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(naps::with(1)).await.unwrap();
        run.wait_for_start().await.unwrap();
        worker.shut_down().await.unwrap();
        run.id().clone()
    };
    let file = rusqlite::Connection::open(folder.file("hub.db")).unwrap();
    assert!(file.execute("UPDATE history SET events = x'00'", []).unwrap() > 0);
    drop(file);

    let hub = TaskHub::open(folder.hub("hub.db")).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let run = hub.client().run(naps::at(id)).unwrap();
    run.terminate("it is damaged").await.unwrap();
    let Err(Error::Terminated { reason, .. }) = run.output().await else { panic!("it was not terminated") };
    assert_eq!(reason, "it is damaged");
    worker.shut_down().await.unwrap();
}

/// Keeps its thread at a gate, says that it has gone on, and waits for what never comes.
#[orchestrator]
async fn computes_long(ctx: OrchestrationContext, gate: String) -> Result<(), Failure> {
    gates::open(&format!("{gate} computing"));
    gates::block(&gate);
    ctx.set_custom_status(&"computed")?;
    ctx.wait_for("never").await
}

// R4:MGMT-63: it ends where it next waits, not before.
#[tokio::test(flavor = "multi_thread")]
async fn terminating_never_interrupts_code_between_two_waits() {
    let folder = Folder::new("between").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(computes_long::with(&place.key)).await.unwrap();
        gates::pass(&format!("{} computing", place.key)).await;
        run.terminate("too long").await.unwrap();
        assert!(!run.state().await.unwrap().unwrap().runtime_status.is_terminal());
        gates::open(&place.key);
        assert_eq!(reason_of_end(&run).await, "too long");
        assert_eq!(run.state().await.unwrap().unwrap().custom_status.as_json(), "\"computed\"");
        worker.shut_down().await.unwrap();
    }
}
