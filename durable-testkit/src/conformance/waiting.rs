//! Waiting for an instance: pushed, never missed.

use durable::{
    model::RuntimeStatus,
    provider::{ProviderErrorKind, WaitFor},
};
use futures::future::{join, join_all};

use super::fixtures::{Stage, id, refused};

pub(super) async fn nobody_waits_for_an_unknown_instance(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for until in [WaitFor::Start, WaitFor::End] {
        refused(hub.provider.wait(&id("nobody"), until).await, &ProviderErrorKind::NotFound);
    }
}

pub(super) async fn a_wait_that_is_met_already_ends_at_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    let state = hub.provider.wait(&id("a"), WaitFor::Start).await.expect("it exists");
    assert_eq!(state, hub.state("a").await);
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).completes(0).saved().await;
    for until in [WaitFor::Start, WaitFor::End] {
        let state = hub.provider.wait(&id("a"), until).await.expect("it exists");
        assert_eq!(state, hub.state("a").await);
    }
}

// R4
pub(super) async fn who_waits_for_the_start_is_told_with_the_first_checkpoint(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let instance = id("a");
    let mut waiting = hub.provider.wait(&instance, WaitFor::Start);
    assert!(futures::poll!(&mut waiting).is_pending());
    let item = hub.fetch_of("a").await;
    assert!(futures::poll!(&mut waiting).is_pending(), "handed out is not begun");
    let (state, _) = join(waiting, hub.episode(item).saved()).await;
    assert_eq!(state.expect("it exists").runtime_status, RuntimeStatus::Running);
}

pub(super) async fn who_waits_for_the_end_is_told_however_it_ends(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["completed", "failed", "terminated"] {
        hub.begin(instance).await;
        let awaited = id(instance);
        let mut waiting = hub.provider.wait(&awaited, WaitFor::End);
        assert!(futures::poll!(&mut waiting).is_pending());
        hub.raise(instance, 1).await;
        let item = hub.fetch_of(instance).await;
        let episode = hub.episode(item);
        let end = async {
            match instance {
                "completed" => episode.completes(0).saved().await,
                "failed" => episode.fails(0, "no luck").saved().await,
                _ => episode.terminates(0, "enough").saved().await,
            }
        };
        let (state, saved) = join(waiting, end).await;
        let state = state.expect("it exists");
        assert_eq!((state.runtime_status, &state.failure), (saved.change.status, &saved.change.failure));
        assert_eq!(state, hub.state(instance).await);
    }
}

pub(super) async fn everybody_who_waits_is_told(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    hub.create("b").await;
    let (a, b) = (id("a"), id("b"));
    let starts = (0..50).map(|_| hub.provider.wait(&a, WaitFor::Start));
    let ends = (0..50).map(|_| hub.provider.wait(&a, WaitFor::End));
    let mut other = hub.provider.wait(&b, WaitFor::Start);
    assert!(futures::poll!(&mut other).is_pending());
    let item = hub.fetch_of("a").await;
    let (states, _) = join(join_all(starts.chain(ends)), hub.episode(item).completes(0).saved()).await;
    for state in states {
        assert_eq!(state.expect("it exists").runtime_status, RuntimeStatus::Completed);
    }
    assert!(futures::poll!(&mut other).is_pending(), "another instance has not begun");
}

pub(super) async fn who_gives_up_waiting_disturbs_nobody(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let instance = id("a");
    let mut kept = hub.provider.wait(&instance, WaitFor::End);
    for _ in 0..10 {
        let mut given_up = hub.provider.wait(&instance, WaitFor::End);
        assert!(futures::poll!(&mut given_up).is_pending());
        assert!(futures::poll!(&mut kept).is_pending());
    }
    let item = hub.fetch_of("a").await;
    hub.episode(item).completes(0).saved().await;
    assert_eq!(kept.await.expect("it exists").runtime_status, RuntimeStatus::Completed);
}

pub(super) async fn a_wait_outlives_the_worker(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let instance = id("a");
    let mut waiting = hub.provider.wait(&instance, WaitFor::End);
    assert!(futures::poll!(&mut waiting).is_pending());
    hub.provider.end_work().await;
    assert!(futures::poll!(&mut waiting).is_pending(), "it has not ended, though nobody works on it now");
    hub.provider.begin_work().await.expect("work can begin again");
    let item = hub.fetch_of("a").await;
    let (state, _) = join(waiting, hub.episode(item).completes(0).saved()).await;
    assert_eq!(state.expect("it exists").runtime_status, RuntimeStatus::Completed);
}

pub(super) async fn who_waits_is_told_that_the_instance_has_gone(stage: Stage<'_>) {
    let hub = stage.hub().await;
    hub.create("a").await;
    let instance = id("a");
    let mut waiting = hub.provider.wait(&instance, WaitFor::End);
    assert!(futures::poll!(&mut waiting).is_pending());
    let (gone, deleted) = join(waiting, hub.provider.delete()).await;
    deleted.expect("a hub that nobody works can be deleted");
    refused(gone, &ProviderErrorKind::NotFound);
}
