//! Files that are no hub, or one that cannot be worked: each is named, and left as it is.

use std::{fs, path::Path};

use durable::{
    embedded::{Durability, EmbeddedProvider, Options},
    provider::{HubStore, InstanceStore, ProviderError, ProviderErrorKind, WorkStore},
};
use rusqlite::Connection;

use crate::fixtures::*;

fn open(path: &Path) -> Result<EmbeddedProvider, ProviderError> {
    EmbeddedProvider::open(path, Options::default())
}

/// A hub in which `a` has begun and waits for an activity.
fn used_hub() -> Folder {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0)]);
    folder
}

fn change(folder: &Folder, sql: &str) {
    Connection::open(folder.file()).unwrap().execute_batch(sql).unwrap();
}

// R2:HUB-24
#[test]
fn a_hub_is_made_when_it_is_needed_and_not_before() {
    let folder = Folder::new();
    let hub = folder.open();
    assert!(!block_on(hub.exists()).unwrap());
    assert_eq!(block_on(hub.read_state(&id("a"))).unwrap(), None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    create(&hub, "a");
    assert!(block_on(hub.exists()).unwrap());
}

#[test]
fn a_file_without_content_becomes_a_hub() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    let hub = folder.open();
    assert!(!block_on(hub.exists()).unwrap());
    create(&hub, "a");
    assert_eq!(news(&fetch(&folder.work())), ["ExecutionStarted"]);
}

#[test]
fn a_relaxed_hub_is_the_same_hub() {
    let folder = used_hub();
    let options = Options { durability: Durability::Relaxed, ..Options::default() };
    let hub = EmbeddedProvider::open(&folder.file(), options).unwrap();
    block_on(hub.begin_work()).unwrap();
    assert_eq!(next_activity(&hub), 0);
}

#[test]
fn a_path_where_no_file_can_be_is_refused_with_what_is_expected() {
    let folder = Folder::new();
    for (path, expected) in [
        (folder.path().to_owned(), "a hub is a file"),
        (folder.path().join("missing/hub.db"), "does not exist; make it first"),
        ("".into(), "a hub is a file"),
    ] {
        let error = open(&path).unwrap_err();
        assert!(matches!(error.kind, ProviderErrorKind::BadAddress(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn garbage_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let garbage = b"The quick brown fox. ".repeat(500);
    fs::write(folder.file(), &garbage).unwrap();
    let error = open(&folder.file()).unwrap_err();
    assert!(matches!(error.kind, ProviderErrorKind::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("no SQLite database"), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), garbage);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn another_applications_database_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    change(&folder, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);");
    let before = fs::read(folder.file()).unwrap();
    let error = open(&folder.file()).unwrap_err();
    assert!(matches!(error.kind, ProviderErrorKind::BadAddress(_)), "{error}");
    assert!(error.to_string().contains("another application"), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = used_hub();
    change(&folder, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 3;");
    let before = fs::read(folder.file()).unwrap();
    let error = open(&folder.file()).unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::UnknownFormat { found: 3, known: 2 });
    assert!(error.to_string().contains("use a newer version"), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn an_older_format_is_refused_and_left_as_it_is() {
    let folder = used_hub();
    change(&folder, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 1;");
    let before = fs::read(folder.file()).unwrap();
    let error = open(&folder.file()).unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::UnknownFormat { found: 1, known: 2 });
    assert!(error.to_string().contains("with the version that wrote it"), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn a_file_that_was_cut_off_is_damage_wherever_it_is_met() {
    let folder = used_hub();
    change(&folder, "PRAGMA journal_mode = DELETE;");
    let whole = fs::read(folder.file()).unwrap();
    for kept in [whole.len() / 2, 4_096, 700, 60] {
        fs::write(folder.file(), &whole[..kept]).unwrap();
        let met = open(&folder.file()).and_then(|hub| {
            block_on(hub.read_history(&id("a")))?;
            block_on(hub.begin_work())
        });
        assert!(matches!(refused(met), ProviderErrorKind::Corrupt(_)), "{kept} bytes");
    }
}

// DECISIONS 21
#[test]
fn a_damaged_history_is_reported_with_its_instance_and_all_others_go_on() {
    let folder = used_hub();
    create(&folder.open(), "b");
    change(&folder, "UPDATE history SET events = x'00';");
    let hub = folder.work();
    let error = block_on(hub.read_history(&id("a"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the history of `a`: the store is damaged: the history of instance `a`: stored events \
         are unreadable; restore it from a copy"
    );
    let items = block_on(hub.fetch_orchestrations(5)).unwrap();
    let damaged = items.iter().find(|item| item.instance == id("a")).unwrap();
    assert!(matches!(refused(block_on(hub.load_history(damaged))), ProviderErrorKind::Corrupt(_)));
    let sound = items.iter().find(|item| item.instance == id("b")).unwrap();
    assert_eq!(news(sound), ["ExecutionStarted"]);
}

#[test]
fn a_damaged_row_is_reported_with_its_instance() {
    for damage in [
        "UPDATE instances SET status = 17",
        "UPDATE instances SET output = '{'",
        "UPDATE instances SET generation = 'x'",
        "UPDATE starts SET started = x'00'",
        "DELETE FROM starts",
    ] {
        let folder = used_hub();
        change(&folder, damage);
        let error = block_on(folder.open().read_state(&id("a"))).unwrap_err();
        let ProviderErrorKind::Corrupt(place) = &error.kind else { panic!("{damage}: {error}") };
        assert!(place.contains("instance `a`"), "{damage}: {error}");
    }
}

#[test]
fn a_history_with_a_missing_episode_is_damage() {
    for damage in
        ["DELETE FROM history", "UPDATE history SET sequence = 9", "UPDATE history SET instance = 9"]
    {
        let folder = used_hub();
        change(&folder, damage);
        let read = block_on(folder.open().read_history(&id("a")));
        assert!(matches!(refused(read), ProviderErrorKind::Corrupt(_)), "{damage}");
    }
}

#[test]
fn a_folder_without_leave_to_write_is_read_only() {
    let folder = Folder::new();
    let mut permissions = fs::metadata(folder.path()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.path(), permissions).unwrap();
    let hub = folder.open();
    let outcome = block_on(hub.create());
    // Who may write everywhere, as the super-user may, is refused nothing.
    if fs::write(folder.path().join("probe"), "").is_err() {
        assert_eq!(refused(outcome), ProviderErrorKind::ReadOnly);
    }
}
