//! What an instance waits for, as a client and as a worker tell it.
//!
//! The hub's clock stands still, so that times are exact. Begin with
//! [`an_instance_says_which_activity_it_waits_for`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{sync::Arc, time::Duration};

use durable::{
    call::Call,
    embedded::EmbeddedProvider,
    explanation::{Awaited, Explanation, Handling},
    hub::TaskHub,
    model::Attempt,
    prelude::*,
};
use durable_testkit::{TestHub, VirtualClock};
use durable_tests::{functions::WORD, gates};

const HOUR: Duration = Duration::from_secs(3600);

#[activity]
async fn charge(gate: String) -> Result<(), Failure> {
    gates::pass(&gate).await;
    Err("card declined".into())
}

#[orchestrator]
async fn pays(ctx: OrchestrationContext, gate: String) -> Result<(), Failure> {
    let retry = RetryPolicy::new(3, Duration::from_secs(28)).retry_if(|_, _| true);
    ctx.call(charge::with(gate).retry(retry).timeout(HOUR)).await
}

#[orchestrator]
async fn asks(ctx: OrchestrationContext) -> Result<String, Failure> {
    let night = ctx.sleep(24 * HOUR);
    let word = ctx.wait_for(WORD);
    futures::pin_mut!(word);
    match futures::future::select(word, night).await {
        futures::future::Either::Left((word, _)) => word,
        futures::future::Either::Right(_) => Err("too late".into()),
    }
}

/// Takes the first word, gives up on its deadline, and waits for another word.
#[orchestrator]
async fn asks_twice(ctx: OrchestrationContext) -> Result<String, Failure> {
    let deadline = ctx.sleep(24 * HOUR);
    ctx.wait_for(WORD).await?;
    drop(deadline);
    ctx.wait_for(WORD).await
}

/// Explains until the explanation is what the test waits for.
async fn until(hub: &TestHub, run: &InstanceId, is_it: impl Fn(&Explanation) -> bool) -> Explanation {
    loop {
        let explanation = hub.client().explain(run).await.unwrap();
        if is_it(&explanation) {
            return explanation;
        }
        tokio::task::yield_now().await;
    }
}

fn has_begun(explanation: &Explanation) -> bool {
    explanation.state.runtime_status == RuntimeStatus::Running
}

#[tokio::test]
async fn an_instance_says_which_activity_it_waits_for() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(pays::with("explain 1").instance_id("order-17")).await.unwrap();
    let explanation = until(&hub, run.id(), has_begun).await;
    assert_eq!(
        explanation.to_string(),
        "instance `order-17` of `pays`: running, last step 0 ms ago\nwaits for\n- activity `charge` (task 0), attempt 1 \
         of 3, called 0 ms ago, times out in 1 h (2026-01-01T01:00:00Z)"
    );
    gates::open("explain 1");
}

// R2:ERR-14, R2:ERR-18
#[tokio::test]
async fn an_instance_says_when_a_failed_call_is_tried_again() {
    let hub = TestHub::start().await.unwrap();
    gates::open("explain 2");
    let run = hub.client().start(pays::with("explain 2")).await.unwrap();
    let rests = |seen: &Explanation| seen.waits.iter().any(|wait| matches!(wait.what, Awaited::Retry { .. }));
    let explanation = until(&hub, run.id(), rests).await;
    let [wait] = &explanation.waits[..] else { panic!("{explanation}") };
    let Awaited::Retry { name, attempt, failure, due } = &wait.what else { panic!("{explanation}") };
    assert_eq!((name.as_str(), *attempt), ("charge", Attempt { number: 1, of: 3 }));
    assert_eq!(failure.message(), "card declined");
    assert_eq!(due.duration_since(hub.now()), Duration::from_secs(28));
    assert!(explanation.to_string().ends_with(
        "\n- the next attempt of `charge`, in 28 s (2026-01-01T00:00:28Z); attempt 1 of 3 failed 0 ms ago: \
         card declined"
    ));
}

#[tokio::test]
async fn a_client_names_awaited_events_and_a_worker_adds_the_lines_of_code() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(asks::with().instance_id("asks")).await.unwrap();
    let explanation = until(&hub, run.id(), has_begun).await;
    assert_eq!(
        explanation.to_string(),
        "instance `asks` of `asks`: running, last step 0 ms ago\nwaits for\n- a timer (task 0), due in 1 d \
         (2026-01-02T00:00:00Z), set 0 ms ago\n- event `Word`, since 0 ms ago"
    );
    assert_eq!(explanation.handling, Handling::Unknown);
    let explanation = hub.worker().explain(&run).await.unwrap();
    assert_eq!(explanation.handling, Handling::Handled);
    for wait in &explanation.waits {
        let place = wait.place.as_deref().unwrap();
        assert!(place.starts_with("tests/explain.rs:"), "{place}");
    }
    assert_eq!(explanation.waits.len(), 2);
}

// DECISIONS 8
#[tokio::test]
async fn a_cancelled_timer_is_not_waited_for() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(asks_twice::with()).await.unwrap();
    until(&hub, run.id(), has_begun).await;
    hub.client().raise(&run, WORD, "first".to_owned()).await.unwrap();
    let only_one = |seen: &Explanation| seen.waits.len() == 1;
    let explanation = until(&hub, run.id(), only_one).await;
    assert!(matches!(&explanation.waits[0].what, Awaited::Event { name } if *name == *WORD.name()));
    assert_eq!(hub.worker().explain(&run).await.unwrap().waits.len(), 1);
}

// R2:MGT-19
#[tokio::test]
async fn a_suspended_instance_says_why_and_what_else_it_waits_for() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(asks::with().instance_id("halted")).await.unwrap();
    until(&hub, run.id(), has_begun).await;
    run.suspend("lunch").await.unwrap();
    let is_suspended = |seen: &Explanation| seen.state.runtime_status == RuntimeStatus::Suspended;
    let explanation = until(&hub, run.id(), is_suspended).await;
    let told = explanation.to_string();
    assert!(told.contains("\n- being resumed; suspended 0 ms ago: lunch\n- a timer"), "{told}");
    assert!(told.ends_with("\n- event `Word`, since 0 ms ago"), "{told}");
}

#[tokio::test]
async fn an_instance_that_has_not_begun_says_what_keeps_it() {
    let clock = Arc::new(VirtualClock::new().standing_still());
    let hub = TaskHub::with_provider(Arc::new(EmbeddedProvider::in_memory(clock).unwrap()));
    let run = hub.client().start(asks::with().instance_id("now")).await.unwrap();
    assert_eq!(
        run.explain().await.unwrap().to_string(),
        "instance `now` of `asks`: accepted 0 ms ago, not begun\nwaits for\n- a worker that has this orchestrator and \
         begins it; is one running, and does it have this version?"
    );
    let tomorrow = "2026-01-02T00:00:00Z".parse().unwrap();
    let run = hub.client().start(asks::with().instance_id("later").at(tomorrow)).await.unwrap();
    assert_eq!(
        run.explain().await.unwrap().to_string(),
        "instance `later` of `asks`: accepted 0 ms ago, not begun\nwaits for\n- its scheduled start, in 1 d \
         (2026-01-02T00:00:00Z)"
    );
}

#[tokio::test]
async fn an_instance_that_nobody_here_can_run_says_so() {
    let hub = TestHub::start().await.unwrap();
    let start = Call::<()>::orchestration("asks", ()).version("7").instance_id("seven");
    let run = hub.client().start(start).await.unwrap();
    let explanation = hub.worker().explain(&run).await.unwrap();
    assert_eq!(explanation.handling, Handling::Unhandled { versions: vec![None] });
    assert!(explanation.to_string().ends_with(
        "\nthis worker has the orchestrator only as unversioned, and leaves the instance alone; run a worker that has its \
         version"
    ));
}

// R1:ORCH-18; DECISIONS 25
#[tokio::test]
async fn a_worker_foretells_that_an_instance_will_not_replay() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let registry = |name: &'static str| {
        let code = move |ctx: OrchestrationContext, (): ()| async move {
            ctx.call(Call::<()>::activity(name, ())).await?;
            ctx.wait_for::<String>("Word").await
        };
        let done = |_: ActivityContext, (): ()| async { Ok::<_, Failure>(()) };
        let builder = Registry::builder().orchestrator("changes", code).activity("a", done);
        builder.activity("b", done).build().unwrap()
    };
    let worker = hub.worker().functions(registry("a")).start().await.unwrap();
    let run = hub.client().start(Call::<String>::orchestration("changes", ())).await.unwrap();
    while !matches!(run.explain().await.unwrap().waits[0].what, Awaited::Event { .. }) {
        tokio::task::yield_now().await;
    }
    worker.shut_down().await.unwrap();
    let worker = hub.worker().functions(registry("b")).start().await.unwrap();
    let explanation = worker.explain(&run).await.unwrap();
    let Handling::Broken(failure) = &explanation.handling else { panic!("{explanation}") };
    assert!(failure.message().starts_with("error[DF1001]"), "{failure}");
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_has_ended_says_how() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(asks::with().instance_id("late")).await.unwrap();
    hub.passing_time(run.wait_for_end()).await.unwrap();
    let explanation = hub.worker().explain(&run).await.unwrap();
    assert_eq!(explanation.to_string(), "instance `late` of `asks`: failed 0 ms ago: too late");
    assert!(hub.client().explain(&InstanceId::new("nobody").unwrap()).await.is_err());
}

#[orchestrator]
async fn delegates(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.call(asks::with().instance_id("delegate")).await
}

#[tokio::test]
async fn an_instance_says_which_orchestration_it_waits_for() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(delegates::with()).await.unwrap();
    let explanation = until(&hub, run.id(), has_begun).await;
    let told = explanation.to_string();
    assert!(told.ends_with("\n- orchestration `asks` under `delegate` (task 0), called 0 ms ago"), "{told}");
    assert!(hub.worker().explain(&run).await.unwrap().waits[0].place.is_some());
}

fn account(key: &str) -> EntityId {
    EntityId::new("account", key).unwrap()
}

#[orchestrator]
async fn locks(mut ctx: OrchestrationContext, keys: Vec<String>) -> Result<(), Failure> {
    let ids: Vec<_> = keys.iter().map(|key| EntityId::new("account", key)).collect::<Result<_, _>>()?;
    let section = ctx.lock(&ids).await?;
    section.wait_for("never").await
}

#[orchestrator]
async fn asks_an_entity(ctx: OrchestrationContext, key: String) -> Result<(), Failure> {
    ctx.call(EntityId::new("account", key)?.operation("balance", ()).returning()).await
}

#[tokio::test]
async fn an_instance_says_which_operation_or_lock_it_waits_for_and_who_has_it() {
    let account_code = async |_: EntityContext| Ok::<_, Failure>(());
    let functions = Registry::builder().discover().entity("account", account_code).build().unwrap();
    let hub = TestHub::builder().functions(functions).start().await.unwrap();
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let holder = hub.client().start(locks::with(keys(&["b", "c"])).instance_id("holder")).await.unwrap();
    until(&hub, holder.id(), |told| matches!(told.waits[0].what, Awaited::Event { .. })).await;
    let waiter = hub.client().start(locks::with(keys(&["a", "b"])).instance_id("waiter")).await.unwrap();
    let is_held_up = |told: &Explanation| match &told.waits[0].what {
        Awaited::Operation { held_up, .. } | Awaited::Locks { held_up, .. } => held_up.is_some(),
        _ => false,
    };
    let told = until(&hub, waiter.id(), is_held_up).await.to_string();
    assert!(
        told.ends_with(
            "\n- the locks of `@account@a`, `@account@b` (task 0), asked for 0 ms ago; `holder` has the lock of \
             `@account@b`, since 0 ms ago"
        ),
        "{told}"
    );
    let asking = hub.client().start(asks_an_entity::with("c").instance_id("asking")).await.unwrap();
    let told = until(&hub, asking.id(), is_held_up).await.to_string();
    assert!(
        told.ends_with(
            "\n- operation `balance` of `@account@c` (task 0), called 0 ms ago; `holder` has the lock of `@account@c`, \
             since 0 ms ago"
        ),
        "{told}"
    );
    let by_worker = hub.worker().explain(&asking).await.unwrap();
    assert!(is_held_up(&by_worker) && by_worker.waits[0].place.as_ref().unwrap().contains("explain.rs"));
    let Awaited::Operation { entity, .. } = &by_worker.waits[0].what else { panic!("{by_worker}") };
    assert_eq!(*entity, account("c"));
}
