//! The hub as a whole: made, found, removed.

use durable::provider::ProviderErrorKind;

use super::fixtures::{Stage, id};

pub(super) async fn a_hub_exists_once_it_was_made(stage: Stage<'_>) {
    let hub = stage.factory.fresh();
    assert!(!hub.provider.exists().await.expect("the store can be reached"));
    hub.provider.create().await.expect("a hub can be made");
    assert!(hub.provider.exists().await.expect("the store can be reached"));
}

// R2:HUB-24
pub(super) async fn making_a_hub_again_changes_nothing(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let before = hub.create("a").await;
    hub.provider.create().await.expect("a hub that exists can be made again");
    assert_eq!(hub.state("a").await, before);
}

// R2:HUB-25
pub(super) async fn a_deleted_hub_is_gone_with_everything_in_it(stage: Stage<'_>) {
    let hub = stage.hub().await;
    hub.create("a").await;
    hub.provider.delete().await.expect("a hub that nobody works can be deleted");
    assert!(!hub.provider.exists().await.expect("the store can be reached"));

    hub.provider.create().await.expect("a deleted hub can be made again");
    assert_eq!(hub.provider.read_state(&id("a")).await.expect("the store can be read"), None);
    hub.provider.begin_work().await.expect("a hub can be worked");
    hub.insist_on_no_more_work().await;
}

pub(super) async fn deleting_a_hub_that_was_never_made_does_nothing(stage: Stage<'_>) {
    let hub = stage.factory.fresh();
    hub.provider.delete().await.expect("there is nothing to delete");
    assert!(!hub.provider.exists().await.expect("the store can be reached"));
}

pub(super) async fn a_hub_that_is_worked_cannot_be_deleted(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let error = hub.provider.delete().await.expect_err("a worker holds the hub");
    assert!(matches!(error.kind, ProviderErrorKind::Held(_)), "{error}");
    hub.state("a").await;

    hub.provider.end_work().await;
    hub.provider.delete().await.expect("nobody works the hub any more");
}
