//! Orchestrations that have ended and run again: rewound, restarted.
//!
//! Both embedded stores, with kept sessions and without. Begin with [`only_what_failed_is_done_again`].

use std::time::Duration;

use durable::{Error, prelude::*, provider::ProviderErrorKind};
use durable_testkit::TestHub;
use durable_tests::{
    Folder, gates,
    places::{each_hub, names, until, until_recorded},
    well_formed,
};
use futures::future::{join_all, try_join_all};

/// Fails until somebody has counted `mended`.
#[activity]
async fn build(key: String, part: u32) -> Result<u32, String> {
    gates::count(&format!("{key} part {part}"));
    if part == 2 && gates::counted(&format!("{key} mended")) == 0 {
        return Err("no material".into());
    }
    Ok(part)
}

#[orchestrator]
async fn builds(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    let first = ctx.call(build::with(&key, 1)).await?;
    ctx.sleep(Duration::ZERO).await?;
    let parts = try_join_all([2, 3, 4].map(|part| ctx.call(build::with(&key, part)))).await?;
    Ok(first + parts.into_iter().sum::<u32>() + ctx.call(build::with(&key, 5)).await?)
}

#[orchestrator]
async fn builds_below(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    let first = ctx.call(build::with(&key, 1)).await?;
    let child = format!("{}-below", ctx.instance_id());
    Ok(first + ctx.call(builds::with(format!("{key} child")).instance_id(child)).await?)
}

/// A part in each execution.
#[orchestrator]
async fn builds_in_turn(ctx: OrchestrationContext, key: String, part: u32) -> Result<u32, Failure> {
    ctx.call(build::with(&key, part)).await?;
    if part == 3 { Ok(part) } else { ctx.continue_as_new(builds_in_turn::with(key, part + 1)) }
}

#[orchestrator]
async fn builds_in_turn_below(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    ctx.call(builds_in_turn::with(key, 1)).await
}

/// Two chains side by side: one fails while the other is under way.
#[orchestrator]
async fn builds_both(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    let chain = async |parts: [u32; 2]| -> Result<u32, Failure> {
        let mut sum = 0;
        for part in parts {
            sum += ctx.call(build::with(&key, part)).await?;
        }
        Ok(sum)
    };
    let (left, right) = futures::try_join!(chain([2, 6]), chain([7, 8]))?;
    Ok(left + right)
}

/// Stands for code that a deployment mends.
#[orchestrator]
async fn stumbles(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    let part = ctx.call(build::with(&key, 1)).await?;
    if gates::counted(&format!("{key} mended")) == 0 {
        return Err("a mistake of the code".into());
    }
    Ok(part)
}

/// Handles its failure, and fails all the same.
#[orchestrator]
async fn compensates(ctx: OrchestrationContext, key: String) -> Result<u32, Failure> {
    match ctx.call(build::with(&key, 2)).await {
        Ok(part) => Ok(part),
        Err(failure) => {
            ctx.call(build::with(&key, 9)).await?;
            Err(failure)
        }
    }
}

#[orchestrator]
async fn waits(ctx: OrchestrationContext) -> Result<u32, Failure> {
    ctx.wait_for("never").await
}

#[orchestrator]
async fn repeats(ctx: OrchestrationContext, key: String, word: String) -> Result<String, Failure> {
    let parts = join_all([1, 3].map(|part| ctx.call(build::with(&key, part)))).await;
    Ok(format!("{word} {}", parts.len()))
}

fn parts(key: &str) -> Vec<usize> {
    (1..=9).map(|part| gates::counted(&format!("{key} part {part}"))).collect()
}

fn mend(key: &str) {
    gates::count(&format!("{key} mended"));
}

// R2:MGT-63, R2:MGT-64, R4:MGMT-111, R4:MGMT-114
// R2:MGT-62, R4:MGMT-109, R2:Z1-27; DECISIONS 19: timers do not prevent it.
#[tokio::test]
async fn only_what_failed_is_done_again() {
    let folder = Folder::new("rewound").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(builds::with(&key).instance_id("house")).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        assert_eq!(parts(&key), [1, 1, 1, 1, 0, 0, 0, 0, 0]);
        // Rewound in vain first.
        run.rewind("try again").await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        assert_eq!(parts(&key), [1, 2, 1, 1, 0, 0, 0, 0, 0]);
        worker.shut_down().await.unwrap();
        drop((client, run));

        let place = place.reopened().await;
        mend(&key);
        let client = place.hub.client();
        let run = client.run(builds::at("house")).unwrap();
        run.rewind("material is there").await.unwrap();
        let state = run.state().await.unwrap().unwrap();
        assert_eq!((state.runtime_status, state.failure), (RuntimeStatus::Running, None));
        let worker = place.worker().await;
        assert_eq!(run.output().await.unwrap(), 15);
        assert_eq!(parts(&key), [1, 3, 1, 1, 1, 0, 0, 0, 0]);
        let history = run.history().await.unwrap();
        assert!(well_formed(&history).unwrap().is_empty());
        assert!(names(&history).contains(&"ExecutionRewound"));
        worker.shut_down().await.unwrap();
    }
}

// A branch that was under way when the other failed goes on as well.
#[tokio::test]
async fn what_succeeded_after_the_failure_is_seen_by_the_orchestrator_that_goes_on() {
    let folder = Folder::new("branches").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(builds_both::with(&key)).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        mend(&key);
        run.rewind("again").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 2 + 6 + 7 + 8);
        assert_eq!(parts(&key), [0, 2, 0, 0, 0, 1, 1, 1, 0]);
        assert!(well_formed(&run.history().await.unwrap()).unwrap().is_empty());
        worker.shut_down().await.unwrap();
    }
}

// R4:MGMT-115; DECISIONS 19
#[tokio::test]
async fn a_failed_sub_orchestration_is_rewound_with_its_parent() {
    let folder = Folder::new("cascade").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let child = format!("{key} child");
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(builds_below::with(&key).instance_id("top")).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        mend(&child);
        run.rewind("again").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 16);
        assert_eq!(parts(&key), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(parts(&child), [1, 2, 1, 1, 1, 0, 0, 0, 0]);
        worker.shut_down().await.unwrap();
    }
}

// It is another execution by then than the one that its parent began, and the same call.
#[tokio::test]
async fn a_sub_orchestration_that_continued_as_new_is_rewound_with_its_parent() {
    let folder = Folder::new("cascade-new").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(builds_in_turn_below::with(&key)).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        mend(&key);
        run.rewind("again").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 3);
        assert_eq!(parts(&key), [1, 2, 1, 0, 0, 0, 0, 0, 0]);
        worker.shut_down().await.unwrap();
    }
}

// A child that is no longer there to be rewound must not leave its parent waiting for ever.
#[tokio::test]
async fn a_child_that_was_terminated_begins_anew() {
    let folder = Folder::new("anew").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let child = format!("{key} child");
        let (worker, client) = (place.worker().await, place.hub.client());
        let below = client.start(waits::with().instance_id("top-below")).await.unwrap();
        until(&below, RuntimeStatus::Running).await;
        let run = client.start(builds_below::with(&key).instance_id("top")).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })), "the id is taken");
        mend(&child);
        below.terminate("it is in the way").await.unwrap();
        below.wait_for_end().await.unwrap();
        run.rewind("again").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 16);
        worker.shut_down().await.unwrap();
    }
}

// DECISIONS 25: revived after a fixed deploy.
#[tokio::test]
async fn one_that_failed_by_its_own_code_goes_on_with_mended_code() {
    let folder = Folder::new("mended").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(stumbles::with(&key)).await.unwrap();
        assert!(matches!(run.output().await, Err(Error::Failed { .. })));
        mend(&key);
        run.rewind("mended").await.unwrap();
        assert_eq!(run.output().await.unwrap(), 1);
        assert_eq!(parts(&key)[0], 1);
        worker.shut_down().await.unwrap();
    }
}

#[tokio::test]
async fn a_failure_that_was_handled_is_not_undone() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(compensates::with("saga")).await.unwrap();
    assert!(matches!(hub.output(&run).await, Err(Error::Failed { .. })));
    mend("saga");
    run.rewind("again").await.unwrap();
    assert!(matches!(hub.output(&run).await, Err(Error::Failed { .. })));
    assert_eq!(parts("saga"), [0, 1, 0, 0, 0, 0, 0, 0, 1]);
}

// R4:MGMT-110, R4:MGMT-115, R4:MGMT-178
#[tokio::test]
async fn only_what_has_failed_is_rewound() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    let done = client.start(repeats::with("done", "a")).await.unwrap();
    hub.output(&done).await.unwrap();
    let live = client.start(waits::with()).await.unwrap();
    until(&live, RuntimeStatus::Running).await;
    let ended = client.start(waits::with()).await.unwrap();
    until(&ended, RuntimeStatus::Running).await;
    ended.terminate("enough").await.unwrap();
    until(&ended, RuntimeStatus::Terminated).await;
    for (id, status) in [
        (done.id(), RuntimeStatus::Completed),
        (live.id(), RuntimeStatus::Running),
        (ended.id(), RuntimeStatus::Terminated),
    ] {
        let error = client.rewind(id, "why not").await.unwrap_err();
        assert!(matches!(&error, Error::Status { status: found, .. } if *found == status), "{error:?}");
        assert!(error.to_string().contains("it must be Failed"), "{error}");
    }
    let error = client.rewind(InstanceId::new("nobody").unwrap(), "why not").await.unwrap_err();
    assert!(
        matches!(&error, Error::Provider(error) if error.kind == ProviderErrorKind::NotFound),
        "{error:?}"
    );
}

// R4:MGMT-116 to R4:MGMT-120, R4:MGMT-179, R2:Z1-23; DECISIONS 20
#[tokio::test]
async fn one_that_has_ended_starts_again_under_a_new_id_or_its_own() {
    let folder = Folder::new("restarted").unwrap();
    for place in each_hub(&folder).await {
        let key = place.key.clone();
        let (worker, client) = (place.worker().await, place.hub.client());
        let call = repeats::with(&key, "word").instance_id("first").tag("owner", "ada");
        let run = client.start(call).await.unwrap();
        assert_eq!(run.output().await.unwrap(), "word 2");
        let again = run.restart().await.unwrap();
        assert_ne!(again.id(), run.id());
        assert_eq!(again.output().await.unwrap(), "word 2");
        assert_eq!(again.state().await.unwrap().unwrap().tags["owner"], "ada");
        let replaced = client.restart_in_place(&run).await.unwrap();
        assert_eq!(replaced.id(), run.id());
        assert_eq!(replaced.output().await.unwrap(), "word 2");
        assert_eq!(run.state().await.unwrap().unwrap().generation, 1);
        assert_eq!(parts(&key)[0], 3);

        let live = client.start(waits::with()).await.unwrap();
        until_recorded(&live, "OrchestratorStarted", 1).await;
        let error = live.restart().await.unwrap_err();
        assert!(matches!(error, Error::Status { status: RuntimeStatus::Running, .. }), "{error:?}");
        worker.shut_down().await.unwrap();
    }
}
