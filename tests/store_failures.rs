//! A store that is damaged, full, held, of another kind or not writable: a clear typed error, nothing
//! lost, nothing that hangs or panics.
//!
//! Begin with [`a_file_with_a_damaged_sector_gives_an_error_or_what_was_stored`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{fs, path::Path};

use durable::{
    Error, embedded::Durability, history::History, model::InstanceState, prelude::*,
    provider::ProviderErrorKind,
};
use durable_tests::{
    Child, Folder, Seeded,
    functions::{WORD, collect_words, five_steps, large_step},
};

const CHILD: &str = env!("CARGO_BIN_EXE_crash_child");

fn kind(error: &Error) -> ProviderErrorKind {
    match error {
        Error::Provider(error) => error.kind.clone(),
        other => panic!("not an error of the store: {other:?}"),
    }
}

async fn refusal(address: &str) -> (ProviderErrorKind, String) {
    let error = TaskHub::open(address).await.expect_err("the hub opened");
    (kind(&error), error.to_string())
}

/// What a hub holds, as a client sees it.
#[derive(Debug, PartialEq)]
struct Content(Vec<(InstanceState, History)>);

/// A hub file with ended and live instances; its bytes, and what it holds.
async fn a_hub() -> (Vec<u8>, Content) {
    let folder = Folder::in_memory("damaged").unwrap();
    let hub = TaskHub::options().durability(Durability::Relaxed).open(&folder.hub("hub.db")).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let client = hub.client();
    let mut ids = Vec::new();
    for number in 0..20 {
        let run = client.start(five_steps::with(number)).await.unwrap();
        run.output().await.unwrap();
        ids.push(run.id().clone());
        let run = client.start(collect_words::with()).await.unwrap();
        run.wait_for_start().await.unwrap();
        client.raise(&run, WORD, "word ".repeat(50)).await.unwrap();
        ids.push(run.id().clone());
    }
    worker.shut_down().await.unwrap();
    let content = content(&client, &ids).await.unwrap();
    drop((client, hub));
    (fs::read(folder.file("hub.db")).unwrap(), content)
}

async fn content(client: &Client, ids: &[InstanceId]) -> Result<Content, Error> {
    let mut all = Vec::new();
    for id in ids {
        if let Some(state) = client.state(id).await? {
            all.push((state, client.history(id).await?));
        }
    }
    Ok(Content(all))
}

async fn content_of(address: &str, expected: &Content) -> Result<Content, Error> {
    let ids: Vec<_> = expected.0.iter().map(|(state, _)| state.instance_id.clone()).collect();
    let hub = TaskHub::open(address).await?;
    let content = content(&hub.client(), &ids).await;
    // Recovery reads what a client does not.
    hub.worker().start().await?.shut_down().await?;
    content
}

/// What became of a hub that was damaged in many ways, one at a time.
#[derive(Debug, Default)]
struct Tally {
    refused: usize,
    whole: usize,
    changed: usize,
}

async fn damage(rounds: usize, mut seeded: Seeded, harm: impl Fn(&mut Vec<u8>, &mut Seeded)) -> Tally {
    let (good, expected) = a_hub().await;
    let folder = Folder::in_memory("damaged").unwrap();
    let mut tally = Tally::default();
    for _ in 0..rounds {
        let mut bytes = good.clone();
        harm(&mut bytes, &mut seeded);
        for suffix in ["-wal", "-shm", ".lock"] {
            let _ = fs::remove_file(folder.file(&format!("hub.db{suffix}")));
        }
        fs::write(folder.file("hub.db"), &bytes).unwrap();
        match content_of(&folder.hub("hub.db"), &expected).await {
            Err(Error::Provider(_)) => tally.refused += 1,
            Err(other) => panic!("not an error of the store: {other:?}"),
            Ok(content) if content == expected => tally.whole += 1,
            Ok(_) => tally.changed += 1,
        }
    }
    eprintln!("{tally:?}");
    tally
}

#[tokio::test]
async fn a_file_with_a_damaged_sector_gives_an_error_or_what_was_stored() {
    const SECTOR: usize = 512;
    let tally = damage(200, Seeded::new(4), |bytes, seeded| {
        let sector = seeded.within(0..bytes.len() / SECTOR) * SECTOR;
        bytes[sector..sector + SECTOR].fill_with(|| seeded.bits() as u8);
    });
    let tally = tally.await;
    assert!(tally.refused > 0 && tally.whole > 0, "{tally:?}");
    assert_eq!(tally.changed, 0, "damage was passed off as data");
}

// A file keeps no checksums: another digit in place of a digit cannot be noticed. But it never leads
// to a panic or to waiting without end.
#[tokio::test]
async fn a_file_with_flipped_bytes_gives_an_error_or_an_answer() {
    let tally = damage(300, Seeded::new(3), |bytes, seeded| {
        for _ in 0..=seeded.within(0..4) {
            let at = seeded.within(0..bytes.len());
            bytes[at] ^= u8::try_from(seeded.within(1..256)).unwrap();
        }
    });
    let tally = tally.await;
    assert!(tally.refused > 0 && tally.whole > 0, "{tally:?}");
}

#[tokio::test]
async fn a_truncated_file_gives_an_error_or_what_was_stored() {
    let (good, expected) = a_hub().await;
    let folder = Folder::in_memory("truncated").unwrap();
    for part in 1..40 {
        let address = folder.hub(&format!("hub-{part}.db"));
        let length = good.len() * part / 40;
        fs::write(folder.file(&format!("hub-{part}.db")), &good[..length]).unwrap();
        match content_of(&address, &expected).await {
            Err(error) => assert!(
                matches!(kind(&error), ProviderErrorKind::Corrupt(_)),
                "at {length} of {} bytes: {error:?}",
                good.len()
            ),
            Ok(content) => assert_eq!(content, expected, "at {length} of {} bytes", good.len()),
        }
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_hub() {
    let folder = Folder::in_memory("empty").unwrap();
    fs::write(folder.file("hub.db"), b"").unwrap();
    let hub = TaskHub::open(&folder.hub("hub.db")).await.unwrap();
    hub.client().start(five_steps::with(1).instance_id("a")).await.unwrap();
}

// R2:HUB-24
#[tokio::test]
async fn what_is_no_hub_is_refused_and_left_as_it_is() {
    let folder = Folder::in_memory("foreign").unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    let (found, _) = refusal(&folder.hub("folder")).await;
    assert!(matches!(found, ProviderErrorKind::BadAddress(_)), "{found:?}");
    let (found, _) = refusal(&folder.hub("missing/hub.db")).await;
    assert!(matches!(found, ProviderErrorKind::BadAddress(_)), "{found:?}");
    for address in ["sqlite:", "hub.db", "postgres:hub", ""] {
        let (found, text) = refusal(address).await;
        assert!(matches!(found, ProviderErrorKind::BadAddress(_)), "{found:?}");
        assert!(text.contains("sqlite:<file>"), "{text}");
    }

    let letter = b"Dear reader, this is a letter and no database. ".repeat(100);
    fs::write(folder.file("letter.txt"), &letter).unwrap();
    let (found, _) = refusal(&folder.hub("letter.txt")).await;
    assert!(matches!(found, ProviderErrorKind::Corrupt(_)), "{found:?}");
    assert_eq!(fs::read(folder.file("letter.txt")).unwrap(), letter);

    let other = rusqlite::Connection::open(folder.file("books.db")).unwrap();
    other.execute_batch("CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('Emma');").unwrap();
    drop(other);
    let before = fs::read(folder.file("books.db")).unwrap();
    let (found, text) = refusal(&folder.hub("books.db")).await;
    assert!(matches!(found, ProviderErrorKind::BadAddress(_)), "{found:?}");
    assert!(text.contains("another application"), "{text}");
    assert_eq!(fs::read(folder.file("books.db")).unwrap(), before);
}

#[tokio::test]
async fn a_hub_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = Folder::in_memory("newer").unwrap();
    drop(TaskHub::open(&folder.hub("hub.db")).await.unwrap());
    let connection = rusqlite::Connection::open(folder.file("hub.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let before = fs::read(folder.file("hub.db")).unwrap();
    let (found, text) = refusal(&folder.hub("hub.db")).await;
    assert!(matches!(found, ProviderErrorKind::UnknownFormat { found: 99, .. }), "{found:?}");
    assert!(text.contains("use a newer version"), "{text}");
    assert_eq!(fs::read(folder.file("hub.db")).unwrap(), before);
}

#[tokio::test]
async fn a_second_worker_is_told_who_holds_the_hub() {
    let folder = Folder::in_memory("held").unwrap();
    // Whatever stands in a lock's file is no lock.
    fs::write(folder.file("hub.db.lock"), b"\xff\xfe garbage").unwrap();
    let address = folder.hub("hub.db");
    let mut child = child(&["worker", &address]);
    let opened = child.line_with("opened").unwrap();
    assert!(opened.is_some(), "the worker could not start");

    let hub = TaskHub::open(&address).await.unwrap();
    let error = hub.worker().start().await.unwrap_err();
    assert!(matches!(kind(&error), ProviderErrorKind::Held(_)), "{error:?}");
    assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    let run = hub.client().start(five_steps::with(1)).await.unwrap();
    let reader = std::thread::spawn(move || child.line_with("step").map(|line| (child, line)));
    run.output().await.unwrap();
    let (child, _) = reader.join().unwrap().unwrap();

    // A holder that dies holds nothing.
    child.kill().unwrap();
    let worker = hub.worker().start().await.unwrap();
    assert!(
        TaskHub::open(&address).await.unwrap().worker().start().await.is_err(),
        "two workers in one process"
    );
    worker.shut_down().await.unwrap();
}

fn child(arguments: &[&str]) -> Child {
    Child::start(std::process::Command::new(CHILD).args(arguments)).unwrap()
}

/// Whether the system keeps this process from writing to what is read-only; not when it is root.
fn permissions_bind(folder: &Path) -> bool {
    let file = folder.join("locked");
    fs::write(&file, b"").unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    fs::OpenOptions::new().append(true).open(&file).is_err()
}

#[tokio::test]
async fn a_read_only_file_is_named_so() {
    let folder = Folder::in_memory("read-only").unwrap();
    if !permissions_bind(folder.path()) {
        eprintln!("SKIPPED: permissions do not bind this user; the next test imitates them");
        return;
    }
    drop(TaskHub::open(&folder.hub("hub.db")).await.unwrap());
    let mut permissions = fs::metadata(folder.file("hub.db")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.file("hub.db"), permissions).unwrap();
    let hub = TaskHub::open(&folder.hub("hub.db")).await;
    let error = match hub {
        Err(error) => error,
        Ok(hub) => hub.client().start(five_steps::with(1)).await.unwrap_err(),
    };
    assert_eq!(kind(&error), ProviderErrorKind::ReadOnly);
}

/// A small disk of its own, where the system lets this process make one.
#[cfg(target_os = "linux")]
struct SmallDisk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(folder: &Folder) -> Option<Self> {
        let path = folder.file("small");
        fs::create_dir(&path).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&path);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(path))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_disk_that_runs_full_nothing_acknowledged_is_lost() {
    let folder = Folder::new("small").unwrap();
    let Some(disk) = SmallDisk::new(&folder) else {
        eprintln!("SKIPPED: this user cannot mount a small disk; `with_shim` imitates one");
        return;
    };
    let ballast = disk.0.join("ballast");
    // More room than all that can be started in the rest takes to be done: also when the worker lags behind.
    fs::write(&ballast, vec![0; 19 << 20]).unwrap();
    let address = format!("sqlite:{}/hub.db", disk.0.display());
    let hub = TaskHub::open(&address).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let client = hub.client();
    let mut started = Vec::new();
    let error = loop {
        match client.start(large_step::with("x".repeat(50_000))).await {
            Ok(run) => started.push(run.id().clone()),
            Err(error) => break error,
        }
    };
    assert_eq!(kind(&error), ProviderErrorKind::Full, "{error:?}");
    assert!(!started.is_empty());
    fs::remove_file(ballast).unwrap();
    for id in started {
        assert_eq!(client.run::<u64>(id).unwrap().output().await.unwrap(), 50_000);
    }
    worker.shut_down().await.unwrap();
}

#[cfg(target_os = "linux")]
mod with_shim {
    use durable_tests::Shim;

    use super::*;

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named_so() {
        let folder = Folder::new("locked").unwrap();
        let watched = folder.file("disk");
        fs::create_dir(&watched).unwrap();
        let address = format!("sqlite:{}/hub.db", watched.display());
        let shim = Shim::compile(&folder).unwrap();
        let output = shim.lock(CHILD, &watched).args(["words", &address]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("the store is read-only"), "{output:?}");
        // Also when there is a hub already.
        drop(TaskHub::open(&address).await.unwrap());
        let output = shim.lock(CHILD, &watched).args(["words", &address]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("the store is read-only"), "{output:?}");
    }

    #[test]
    fn on_a_full_disk_starts_fail_and_after_room_is_made_everything_goes_on() {
        let folder = Folder::new("full").unwrap();
        let (watched, flag) = (folder.file("disk"), folder.file("full"));
        fs::create_dir(&watched).unwrap();
        let address = format!("sqlite:{}/hub.db", watched.display());
        let mut child = Child::start(
            Shim::compile(&folder).unwrap().fill(CHILD, &watched, &flag).args(["words", &address]),
        )
        .unwrap();
        child.line_with("opened").unwrap().unwrap();
        // In the midst of the sequences that it runs.
        let mut raised = Vec::new();
        for round in 0..5 {
            fs::write(&flag, b"").unwrap();
            child.tell(&format!("lost-{round}")).unwrap();
            let answer = told(&mut child);
            assert!(answer.contains("the store is full"), "{answer}");
            fs::remove_file(&flag).unwrap();
            child.tell(&format!("kept-{round}")).unwrap();
            assert_eq!(told(&mut child), "raised");
            raised.push(format!("kept-{round}"));
        }
        let (status, lines) = child.finish().unwrap();
        let last = lines.last().cloned().unwrap_or_default();
        assert!(status.success(), "{last}");
        assert_eq!(last, format!("words {}", raised.join(" ")));
    }

    /// How the last raise went.
    fn told(child: &mut Child) -> String {
        loop {
            let line = child.line().unwrap().expect("the child goes on");
            if line != "step" {
                return line;
            }
        }
    }
}
