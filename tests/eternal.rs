//! Orchestrations that go on as new executions of themselves.
//!
//! Both embedded stores, with kept sessions and without; time is virtual where it matters. Begin with
//! [`work_and_rest_never_overlap`].

use std::time::Duration;

use durable::{Error, call::Call, model::FailureKind, prelude::*, registry::Registry};
use durable_testkit::TestHub;
use durable_tests::{
    Folder, gates,
    places::{each_hub, until},
    well_formed,
};

const MINUTE: Duration = Duration::from_secs(60);

#[activity]
async fn clean(round: u32) -> u32 {
    round + 1
}

/// Half an hour of work, an hour of rest, and again; three rounds.
#[orchestrator]
async fn clean_up(ctx: OrchestrationContext, began: Vec<Timestamp>) -> Result<Vec<Timestamp>, Failure> {
    let mut began = began;
    began.push(ctx.now());
    ctx.sleep(30 * MINUTE).await?;
    let round: u32 = ctx.call(clean::with(began.len() as u32)).await?;
    if round > 3 {
        return Ok(began);
    }
    ctx.sleep(60 * MINUTE).await?;
    ctx.continue_as_new(clean_up::with(began))
}

/// One number each execution.
#[orchestrator]
async fn sums(ctx: OrchestrationContext, total: u64, left: u32) -> Result<u64, Failure> {
    if left == 0 {
        return Ok(total);
    }
    let number: u64 = ctx.wait_for("Number").await?;
    ctx.set_custom_status(&left)?;
    ctx.continue_as_new(sums::with(total + number, left - 1))
}

#[orchestrator]
async fn counts_down(ctx: OrchestrationContext, from: u32) -> Result<u32, Failure> {
    if from == 0 { Ok(7) } else { ctx.continue_as_new(counts_down::with(from - 1)) }
}

#[orchestrator]
async fn goes_on_elsewhere(ctx: OrchestrationContext) -> Result<u64, Failure> {
    let number: u64 = ctx.wait_for("Go").await?;
    ctx.continue_as_new(Call::<u64>::orchestration("elsewhere", number))
}

#[orchestrator]
async fn forever(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.continue_as_new(forever::with())
}

#[orchestrator]
async fn calls_eternal(ctx: OrchestrationContext, rounds: u32) -> Result<u32, Failure> {
    ctx.call(counts_down::with(rounds)).await
}

#[activity]
async fn marks(gate: String) -> u32 {
    gates::count(&gate);
    0
}

/// Asks for an activity and does not wait for it, and the next execution calls one with the same number.
#[orchestrator]
async fn leaves_work_behind(ctx: OrchestrationContext, gate: String, round: u32) -> Result<u32, Failure> {
    let call = ctx.call(marks::with(format!("{gate} {round}")));
    if round == 0 {
        drop(call);
        let _: () = ctx.wait_for("go").await?;
        let late = ctx.call(marks::with(format!("{gate} late")));
        drop(late);
        return ctx.continue_as_new(leaves_work_behind::with(gate, 1));
    }
    Ok(call.await? + 5)
}

/// As its own panic would end it, were it not for what it asked before.
#[orchestrator]
async fn ends_badly(ctx: OrchestrationContext, round: u32) -> u32 {
    if round == 1 {
        return 11;
    }
    ctx.continue_as_new::<_, Failure>(ends_badly::with(1)).expect("the execution ends here")
}

// R2:ETE-1, R2:ETE-3 to R2:ETE-5, R2:ETE-7 to R2:ETE-9, R2:ETE-11; R1:TMR-8
#[tokio::test]
async fn work_and_rest_never_overlap() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(clean_up::with(Vec::new()).instance_id("StaticId")).await.unwrap();
    let first = run.state().await.unwrap().unwrap().execution_id;
    let times = hub.output(&run).await.unwrap();
    let minutes: Vec<_> = times.iter().map(|at| at.duration_since(began).as_secs() / 60).collect();
    assert_eq!(minutes, [0, 90, 180]);
    let state = run.state().await.unwrap().unwrap();
    assert_ne!(state.execution_id, first, "each execution has an id of its own");
    assert_eq!((state.instance_id.as_str(), state.generation), ("StaticId", 0));
    assert_eq!(state.input.read::<Vec<Timestamp>>().unwrap(), times[..2], "the new input is what is seen");
    let history = run.history().await.unwrap();
    assert!(well_formed(&history).unwrap().is_empty());
    assert_eq!(history.names().iter().filter(|name| **name == "ExecutionStarted").count(), 1);
    assert_eq!(history.started().unwrap().execution, state.execution_id);
}

// R2:Z2-8; DECISIONS 9
#[tokio::test]
async fn events_that_nobody_observed_are_carried_over_in_order() {
    let folder = Folder::new("carried").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let run = client.start(sums::with(0_u64, 50_u32)).await.unwrap();
        for number in 1..=20_u64 {
            client.raise(&run, "Number", number).await.unwrap();
        }
        let worker = place.worker().await;
        for number in 21..=40_u64 {
            client.raise(&run, "Number", number).await.unwrap();
        }
        run.suspend("a break").await.unwrap();
        for number in 41..=50_u64 {
            client.raise(&run, "Number", number).await.unwrap();
        }
        run.resume("on").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 50 * 51 / 2);
        let state = run.state().await.unwrap().unwrap();
        assert_eq!(state.custom_status.as_json(), "1", "what is published outlives the execution");
        worker.shut_down().await.unwrap();
    }
}

// R2:MGT-41; DECISIONS 21
#[tokio::test]
async fn one_that_goes_on_as_what_nobody_here_knows_waits_for_who_does_or_is_terminated() {
    let folder = Folder::new("unknown-next").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let runs = ["waits", "ended"].map(|id| client.start(goes_on_elsewhere::with().instance_id(id)));
        let [waits, ended] = futures::future::try_join_all(runs).await.unwrap().try_into().unwrap();
        for run in [&waits, &ended] {
            until(run, RuntimeStatus::Running).await;
            client.raise(run, "Go", 7_u64).await.unwrap();
        }
        ended.terminate("nobody knows it").await.unwrap();
        let error = ended.output().await.unwrap_err();
        assert!(matches!(&error, Error::Terminated { reason, .. } if reason == "nobody knows it"), "{error}");
        assert!(well_formed(&ended.history().await.unwrap()).unwrap().is_empty());
        worker.shut_down().await.unwrap();

        let elsewhere = |_: OrchestrationContext, number: u64| async move { Ok::<_, Failure>(number + 1) };
        let functions = Registry::builder().discover().orchestrator("elsewhere", elsewhere).build().unwrap();
        let worker = place.hub.worker().functions(functions).start().await.unwrap();
        assert_eq!(waits.output().await.unwrap(), 8);
        worker.shut_down().await.unwrap();
    }
}

// R2:ETE-13: the answers of an execution that is over reach nobody.
#[tokio::test]
async fn what_an_execution_left_behind_runs_and_is_not_heard_by_the_next() {
    let folder = Folder::new("left").unwrap();
    for place in each_hub(&folder).await {
        let worker = place.worker().await;
        let client = place.hub.client();
        let run = client.start(leaves_work_behind::with(&place.key, 0)).await.unwrap();
        client.raise(&run, "go", ()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 5);
        worker.shut_down().await.unwrap();
        for gate in ["0", "late", "1"] {
            assert_eq!(gates::counted(&format!("{} {gate}", place.key)), 1, "{gate}");
        }
    }
}

#[tokio::test]
async fn many_executions_follow_one_another_at_once_but_not_without_end() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(counts_down::with(1_000_u32)).await.unwrap(), 7);
    let error = hub.run(forever::with()).await.unwrap_err();
    let Error::Failed { failure, .. } = error else { panic!("{error:?}") };
    assert_eq!(failure.kind(), FailureKind::Nondeterministic);
    assert!(failure.message().contains("DF1010"), "{failure}");
}

#[tokio::test]
async fn a_parent_gets_the_output_of_the_last_execution() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(calls_eternal::with(3_u32)).await.unwrap(), 7);
}

#[tokio::test]
async fn what_was_asked_wins_over_a_panic() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(ends_badly::with(0_u32)).await.unwrap(), 11);
}

// R2:ETE-12
#[tokio::test]
async fn an_eternal_orchestration_is_ended_from_outside_and_goes_on_over_a_restart() {
    let folder = Folder::new("eternal").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let worker = place.worker().await;
        let run = client.start(sums::with(0_u64, 100_u32).instance_id("sum")).await.unwrap();
        for number in 1..=5_u64 {
            client.raise(&run, "Number", number).await.unwrap();
        }
        worker.shut_down().await.unwrap();
        drop((client, run));
        let place = place.reopened().await;
        let client = place.hub.client();
        let worker = place.worker().await;
        let run = client.run(sums::at("sum")).unwrap();
        client.raise(&run, "Number", 6_u64).await.unwrap();
        loop {
            let input: (u64, u32) = run.state().await.unwrap().unwrap().input.read().unwrap();
            if input == (21, 94) {
                break;
            }
            tokio::task::yield_now().await;
        }
        run.terminate("enough").await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Terminated { .. })));
        worker.shut_down().await.unwrap();
    }
}
