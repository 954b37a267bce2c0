//! Versions side by side: which function runs which instance, and what is said when there is none.
//!
//! Begin with [`running_instances_keep_their_version_and_new_starts_take_the_default`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use durable::{
    Error,
    call::Call,
    model::FailureKind,
    prelude::*,
    registry::VersionMatch,
    worker::{MissingVersion, WorkerBuilder},
};
use durable_testkit::{
    history::{completed, scheduled, started},
    replay,
};
use durable_tests::functions::WORD;

/// What `greets` did before.
#[orchestrator(name = "greets", version = "1")]
async fn greets_1(ctx: OrchestrationContext) -> Result<String, Failure> {
    let word = ctx.wait_for(WORD).await?;
    Ok(format!("1 {word}"))
}

#[orchestrator(name = "greets", version = "2")]
async fn greets(ctx: OrchestrationContext) -> Result<String, Failure> {
    let version = ctx.version().map(ToString::to_string);
    let word = ctx.wait_for(WORD).await?;
    let greeted = ctx.call(greet::with(&word)).await?;
    Ok(format!("2 {greeted} for {version:?}"))
}

#[activity(version = "2")]
async fn greet(word: String) -> String {
    format!("hello {word}")
}

#[orchestrator]
async fn calls_an_old_activity(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.call(greet::with("you").version("1")).await
}

fn both() -> Registry {
    Registry::builder().add::<greets_1>().add::<greets>().add::<greet>().build().unwrap()
}

fn newest() -> Registry {
    Registry::builder().add::<greets>().add::<greet>().build().unwrap()
}

async fn say(run: &Run<String>, hub: &TaskHub) -> Result<String, Error> {
    hub.client().raise(run, WORD, "you".to_owned()).await?;
    run.output().await
}

// R3:ZDD-2, R3:ZDD-3, R3:SKIP-41, R2:VER-11
#[tokio::test]
async fn running_instances_keep_their_version_and_new_starts_take_the_default() {
    let hub = TaskHub::options().default_version("greets", "1").open("memory:").await.unwrap();
    let worker = hub.worker().functions(both()).start().await.unwrap();
    let by_name = || Call::<String>::orchestration("greets", ());
    let old = hub.client().start(by_name()).await.unwrap();
    // The next deployment: the same hub, another default.
    let client = hub.client().default_version("greets", "2");
    let new = client.start(by_name()).await.unwrap();
    let chosen = client.start(by_name().version("1")).await.unwrap();
    let typed = client.start(greets_1::with()).await.unwrap();
    for (run, version, output) in [
        (&old, "1", "1 you"),
        (&new, "2", r#"2 hello you for Some("2")"#),
        (&chosen, "1", "1 you"),
        (&typed, "1", "1 you"),
    ] {
        let stated = run.state().await.unwrap().unwrap().version.unwrap();
        assert_eq!(stated.as_str(), version);
        assert_eq!(say(run, &hub).await.unwrap(), output);
        assert_eq!(run.history().await.unwrap().started().unwrap().version, Some(stated));
    }
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_typed_start_of_an_unversioned_function_has_no_version_whatever_the_default() {
    let hub = TaskHub::options().default_version("calls_an_old_activity", "2").open("memory:").await.unwrap();
    let run = hub.client().start(calls_an_old_activity::with()).await.unwrap();
    assert_eq!(run.state().await.unwrap().unwrap().version, None);
}

// DECISIONS 21
#[tokio::test]
async fn a_worker_leaves_instances_alone_whose_version_it_lacks() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let run = hub.client().start(greets_1::with()).await.unwrap();
    let worker = hub.worker().functions(newest()).start().await.unwrap();
    // Later in line: when it has ended, the other one was looked at and set aside.
    let other = hub.client().start(greets::with()).await.unwrap();
    say(&other, &hub).await.unwrap();
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Pending);
    worker.shut_down().await.unwrap();
    let worker = hub.worker().functions(both()).start().await.unwrap();
    assert_eq!(say(&run, &hub).await.unwrap(), "1 you");
    worker.shut_down().await.unwrap();
}

async fn output_of_version_1(set_up: impl FnOnce(WorkerBuilder) -> WorkerBuilder) -> Result<String, Error> {
    let hub = TaskHub::open("memory:").await?;
    let worker = set_up(hub.worker().functions(newest())).start().await?;
    let run = hub.client().start(greets_1::with()).await?;
    let output = match say(&run, &hub).await {
        // It may have failed before the word came.
        Err(Error::Provider(_)) => run.output().await,
        output => output,
    };
    worker.shut_down().await?;
    output
}

// R2:VER-7
#[tokio::test]
async fn a_worker_may_be_told_to_fail_instances_whose_version_it_lacks() {
    let output = output_of_version_1(|worker| worker.missing_version(MissingVersion::Fail)).await;
    let Err(Error::Failed { failure, .. }) = output else { panic!("{output:?}") };
    assert_eq!((failure.kind(), failure.error_type()), (FailureKind::UnknownFunction, "UnknownVersion"));
    assert!(
        failure
            .message()
            .starts_with("this worker has no orchestrator `greets` in version `1`, only version `2`;"),
        "{failure}"
    );
}

#[tokio::test]
async fn code_that_knows_older_versions_may_run_them_and_sees_which() {
    let output = output_of_version_1(|worker| worker.version_match(VersionMatch::CurrentOrOlder)).await;
    assert_eq!(output.unwrap(), r#"2 hello you for Some("1")"#);
}

// R2:VER-7, R2:VER-12; DECISIONS 21
#[tokio::test]
async fn an_activity_in_a_version_that_is_missing_fails_naming_the_versions_there_are() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let run = hub.client().start(calls_an_old_activity::with()).await.unwrap();
    let Err(Error::Failed { failure, .. }) = run.output().await else { panic!("it did not fail") };
    assert!(
        failure
            .message()
            .starts_with("this worker has no activity `greet` in version `1`, only version `2`;"),
        "{failure}"
    );
    worker.shut_down().await.unwrap();
}

/// Calls `Foo`, then waits for a word. What `Foo` returned is read as a `T`.
fn reads_as<T: durable::model::Storable + std::fmt::Debug>() -> Registry {
    let code = |ctx: OrchestrationContext, (): ()| async move {
        let result = ctx.call(Call::<T>::activity("Foo", ())).await?;
        let word = ctx.wait_for(WORD).await?;
        Ok::<_, Failure>(format!("{result:?} {word}"))
    };
    let gives_true = |_: ActivityContext, (): ()| async { Ok::<_, Failure>(true) };
    Registry::builder().orchestrator("Signature", code).activity("Foo", gives_true).build().unwrap()
}

// R2:VER-1 to VER-3, R3:ZDD-1; DECISIONS 21
#[tokio::test]
async fn a_result_that_changed_code_cannot_read_fails_the_instance_and_is_named() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().functions(reads_as::<bool>()).start().await.unwrap();
    let run = hub.client().start(Call::<String>::orchestration("Signature", ())).await.unwrap();
    while run.history().await.unwrap().episodes() < 2 {
        tokio::task::yield_now().await;
    }
    worker.shut_down().await.unwrap();
    let worker = hub.worker().functions(reads_as::<String>()).start().await.unwrap();
    let Err(Error::Failed { failure, .. }) = say(&run, &hub).await else { panic!("it did not fail") };
    for part in ["DF1001", "the result of activity `Foo`", "`alloc::string::String`", "under a new version"] {
        assert!(failure.message().contains(part), "{part}: {failure}");
    }
    worker.shut_down().await.unwrap();
}

/// What a deployment puts between `Foo` and `Bar`.
#[derive(Clone, Copy)]
enum Inserted {
    Nothing,
    Activity,
    Timer,
    SubOrchestration,
    Start,
}

async fn foo_and_bar(ctx: OrchestrationContext, inserted: Inserted) -> Result<bool, Failure> {
    let result = ctx.call(Call::<bool>::activity("Foo", ())).await?;
    match inserted {
        Inserted::Nothing => {}
        Inserted::Activity => ctx.call(Call::<()>::activity("SendNotification", ())).await?,
        Inserted::Timer => ctx.sleep(std::time::Duration::from_secs(1)).await?,
        Inserted::SubOrchestration => ctx.call(Call::<()>::orchestration("Notify", ())).await?,
        Inserted::Start => drop(ctx.start(Call::<()>::orchestration("Notify", ()))),
    }
    ctx.call(Call::<()>::activity("Bar", result)).await?;
    Ok(result)
}

// R2:VER-4 to VER-6, R3:ZDD-1: whatever kind of work is put in between, history holds `Bar` there.
#[test]
fn work_that_was_put_between_two_calls_is_refused_in_instances_that_are_past_it() {
    let history = || [started(()), scheduled(0, "Foo"), completed(0, true), scheduled(1, "Bar").with(true)];
    let code = |inserted| move |ctx, (): ()| foo_and_bar(ctx, inserted);
    let _ = replay(code(Inserted::Nothing)).history(history()).asks_for([]);
    for inserted in [Inserted::Activity, Inserted::Timer, Inserted::SubOrchestration, Inserted::Start] {
        replay(code(inserted)).history(history()).is_refused_at(1);
    }
}
