//! Other processes at the same file. A second provider stands for one: it shares nothing with the
//! first but the file.

use durable::{
    model::RuntimeStatus,
    provider::{HubStore, InstanceStore, ProviderErrorKind, WaitFor, WorkStore},
};
use futures::FutureExt;

use crate::fixtures::*;

// R2:HUB-27, R2:HUB-44
#[test]
fn a_second_worker_is_told_who_has_the_hub_since_when() {
    let folder = Folder::new();
    let _owner = folder.work();
    let error = block_on(folder.open().begin_work()).unwrap_err();
    let ProviderErrorKind::Held(holder) = &error.kind else { panic!("{error}") };
    let process = format!("process {} has worked this hub since 20", std::process::id());
    assert!(holder.starts_with(&process), "{holder}");
    let whole = format!("cannot begin to work `{}`: {holder}; stop it first", folder.file().display());
    assert!(error.to_string().starts_with(&whole), "{error}");
}

// The end of one would be the end of both, and the other would never know.
#[test]
fn a_second_worker_of_one_process_is_refused_too() {
    on_both(|hub| {
        let error = block_on(hub.begin_work()).unwrap_err();
        assert!(matches!(&error.kind, ProviderErrorKind::Held(_)), "{error}");
        create(hub, "a");
        fetch(hub);
    });
}

#[test]
fn work_that_nobody_waits_to_begin_does_not_begin() {
    let folder = Folder::new();
    let hub = folder.open();
    assert!(hub.begin_work().now_or_never().is_none());
    block_on(hub.begin_work()).unwrap();
}

#[test]
fn the_hub_is_free_once_its_worker_has_gone() {
    let folder = Folder::new();
    drop(folder.work());
    let hub = folder.work();
    block_on(hub.end_work());
    block_on(hub.create()).unwrap();
    folder.work();
}

// R4:MGMT-136, R4:MGMT-190
#[test]
fn what_a_client_writes_reaches_the_worker() {
    let folder = Folder::new();
    let (owner, client) = (folder.work(), folder.open());
    create(&owner, "busy");
    step(&owner, Vec::new());
    create(&client, "a");
    assert_eq!(news(&fetch(&owner)), ["ExecutionStarted"]);
    block_on(client.send(message("busy", raised("x")))).unwrap();
    assert_eq!(news(&fetch(&owner)), ["x"]);
}

#[test]
fn a_clients_message_comes_once_even_when_the_worker_writes_at_the_same_time() {
    let folder = Folder::new();
    let (owner, client) = (folder.work(), folder.open());
    create(&owner, "a");
    step(&owner, Vec::new());
    for round in 0..20 {
        let name = round.to_string();
        block_on(client.send(message("a", raised(&name)))).unwrap();
        create(&owner, &format!("other-{round}"));
    }
    let mut found = Vec::new();
    while found.len() < 20 {
        for item in block_on(owner.fetch_orchestrations(100)).unwrap() {
            found.extend(news(&item).into_iter().filter(|name| name != "ExecutionStarted"));
            let checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
            block_on(owner.checkpoint(item, checkpoint)).unwrap();
        }
    }
    assert!(found.iter().map(|name| name.parse::<i32>().unwrap()).eq(0..20), "{found:?}");
    create(&owner, "last");
    assert_eq!(news(&fetch(&owner)), ["ExecutionStarted"]);
    assert!(owner.fetch_orchestrations(1).now_or_never().is_none());
}

#[test]
fn a_client_sees_and_awaits_what_the_worker_does() {
    let folder = Folder::new();
    let (owner, client) = (folder.work(), folder.open());
    create(&client, "a");
    let a = id("a");
    let mut end = client.wait(&a, WaitFor::End);
    assert!((&mut end).now_or_never().is_none());
    step(&owner, Vec::new());
    assert_eq!(block_on(client.wait(&a, WaitFor::Start)).unwrap().runtime_status, RuntimeStatus::Running);
    assert_eq!(block_on(client.read_history(&a)).unwrap().events().len(), 3);
    block_on(client.send(message("a", raised("x")))).unwrap();
    finish(&owner);
    assert_eq!(block_on(end).unwrap().output.as_json(), "\"done\"");
    assert_eq!(refused(block_on(client.send(message("a", raised("y"))))), ProviderErrorKind::Ended);
}

#[test]
fn a_client_that_only_waits_is_told() {
    let folder = Folder::new();
    let (owner, client) = (folder.work(), folder.open());
    create(&owner, "a");
    let a = id("a");
    let mut end = client.wait(&a, WaitFor::End);
    assert!((&mut end).now_or_never().is_none());
    finish(&owner);
    assert_eq!(block_on(end).unwrap().runtime_status, RuntimeStatus::Completed);
}

#[test]
fn a_client_replaces_an_instance_that_has_ended() {
    let folder = Folder::new();
    let (owner, client) = (folder.work(), folder.open());
    create(&owner, "a");
    assert_eq!(
        refused(block_on(client.create_instance(new_instance("a")))),
        ProviderErrorKind::AlreadyExists
    );
    finish(&owner);
    assert_eq!(block_on(client.create_instance(new_instance("a"))).unwrap().generation, 1);
    assert_eq!(news(&fetch(&owner)), ["ExecutionStarted"]);
}

#[test]
fn calls_and_waits_from_before_the_work_began_are_served_when_it_begins() {
    let folder = Folder::new();
    let memory =
        durable::embedded::EmbeddedProvider::in_memory(std::sync::Arc::new(durable::clock::SystemClock));
    for hub in [folder.open(), memory.unwrap()] {
        create(&hub, "a");
        block_on(hub.send(message("a", raised("x")))).unwrap();
        let (a, mut news_of_a) = (id("a"), hub.fetch_orchestrations(1));
        let mut end = hub.wait(&a, WaitFor::End);
        assert!((&mut end).now_or_never().is_none());
        assert!((&mut news_of_a).now_or_never().is_none());
        block_on(hub.begin_work()).unwrap();
        let item = block_on(news_of_a).unwrap().remove(0);
        assert_eq!(news(&item), ["ExecutionStarted", "x"]);
        let checkpoint = episode(&item, RuntimeStatus::Terminated, Vec::new());
        block_on(hub.checkpoint(item, checkpoint)).unwrap();
        assert_eq!(block_on(end).unwrap().runtime_status, RuntimeStatus::Terminated);
    }
}

#[test]
fn a_client_cannot_delete_a_hub_that_is_worked() {
    let folder = Folder::new();
    let owner = folder.work();
    create(&owner, "a");
    let client = folder.open();
    assert!(matches!(refused(block_on(client.delete())), ProviderErrorKind::Held(_)));
    drop(owner);
    block_on(client.delete()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(!block_on(client.exists()).unwrap());
}

// R2:HUB-25
#[test]
fn who_waits_learns_that_another_process_has_deleted_the_hub() {
    let folder = Folder::new();
    let (client, other) = (folder.open(), folder.open());
    create(&client, "a");
    let a = id("a");
    let mut waiting = client.wait(&a, WaitFor::End);
    assert!((&mut waiting).now_or_never().is_none());
    block_on(other.delete()).unwrap();
    assert_eq!(refused(block_on(waiting)), ProviderErrorKind::NotFound);
    assert_eq!(block_on(client.read_state(&a)).unwrap(), None);
}

#[test]
fn what_is_acknowledged_after_another_process_has_deleted_the_hub_is_in_the_new_one() {
    let folder = Folder::new();
    let (client, other) = (folder.open(), folder.open());
    create(&client, "a");
    block_on(other.delete()).unwrap();
    create(&client, "b");
    drop(client);
    let item = fetch(&folder.work());
    assert_eq!(item.instance, id("b"));
}
