//! Cuts the power at every write: of what a process did to its hub's file only what it synced is
//! certain to be left, and what was acknowledged must be there all the same.
//!
//! A child runs under a shim that records every write and sync (`power_cut/shim.c`); for each point
//! of the record the disk is rebuilt as a power cut might have left it (`power_cut/disk.rs`) and
//! opened. Linux only. Begin with [`what_was_acknowledged_survives_a_power_cut_at_every_write`].

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

#[path = "power_cut/disk.rs"]
mod disk;
#[path = "power_cut/log.rs"]
mod log;
#[path = "power_cut/promises.rs"]
mod promises;

use std::{fs, path::Path};

use durable::prelude::*;
use durable_tests::{Folder, Seeded, Shim};

use disk::{Disk, FATES, Fate};
use log::Record;
use promises::Promises;

const CHILD: &str = env!("CARGO_BIN_EXE_crash_child");
/// Of how many images one is worked to its end; odd, so that each fate has its turn.
const WORKED: usize = 5;
/// At how many of its writes a child with instances of every kind is cut.
const KIN_CUTS: usize = 120;

/// Lets the child do `what` under the shim, and gives what it did.
fn recorded(what: &[&str]) -> Vec<Record> {
    let folder = Folder::new("power-cut").unwrap();
    let watched = folder.file("disk");
    fs::create_dir(&watched).unwrap();
    let (log, acknowledged) = (folder.file("log"), folder.file("acknowledged"));
    let mut command = Shim::compile(&folder).unwrap().record(CHILD, &watched, &log, &acknowledged);
    command.args([what[0], &format!("sqlite:{}/hub.db", watched.display()), acknowledged.to_str().unwrap()]);
    let output = command.args(&what[1..]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let records = log::read(&log);
    assert!(matches(&records, |record| matches!(record, Record::SyncEnd { .. })), "nothing was synced");
    assert!(
        matches(&records, |record| matches!(record, Record::Acknowledged(_))),
        "nothing was acknowledged"
    );
    records
}

fn matches(records: &[Record], is_wanted: impl Fn(&Record) -> bool) -> bool {
    records.iter().any(is_wanted)
}

/// Cuts the power after the records at `points`; gives how many images were opened.
async fn cut(records: &[Record], points: &[usize], mut seeded: Seeded) -> usize {
    let image = Folder::in_memory("power-cut").unwrap();
    let address = image.hub("hub.db");
    let (mut disk, mut promises) = (Disk::default(), Promises::default());
    let mut images = 0;
    for (number, record) in records.iter().enumerate() {
        disk.apply(record);
        if let Record::Acknowledged(line) = record {
            promises.note(line);
        }
        if !points.contains(&number) {
            continue;
        }
        for fate in FATES {
            disk.survivors(image.path(), fate, &mut seeded);
            images += 1;
            let works = images % WORKED == 0;
            // A task of its own, so that what failed can be told together with where.
            let checked = tokio::spawn(check(address.clone(), promises.clone(), works)).await;
            if let Err(panic) = checked {
                panic!("{}: {panic}", told(number, record, fate, image.path()));
            }
        }
    }
    images
}

/// The records that `is_wanted` wants, all of them or evenly `most`.
fn choose(records: &[Record], most: usize, is_wanted: impl Fn(&Record) -> bool) -> Vec<usize> {
    let wanted: Vec<usize> = (0..records.len()).filter(|number| is_wanted(&records[*number])).collect();
    let count = wanted.len().min(most);
    (0..count).map(|number| wanted[number * wanted.len() / count]).collect()
}

async fn check(address: String, promises: Promises, works: bool) {
    let hub = TaskHub::open(&address).await.unwrap_or_else(|error| panic!("cannot be opened: {error:?}"));
    promises.are_kept(&hub.client()).await;
    if works {
        promises.come_true(&hub).await;
    }
}

fn told(number: usize, record: &Record, fate: Fate, image: &Path) -> String {
    let mut record = format!("{record:?}");
    record.truncate(120);
    let files: Vec<_> = fs::read_dir(image).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    format!("power cut after record {number} ({record}), {fate:?}, leaving {files:?}")
}

// R2:HUB-24, R1:OVR-12
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut_at_every_write() {
    let records = recorded(&["power", "full", "3"]);
    let points = choose(&records, 2000, |_| true);
    let images = cut(&records, &points, Seeded::new(1)).await;
    eprintln!("{} records, cut at {}, {images} images", records.len(), points.len());
    assert!(points.len() >= 100, "there was too little to cut");
}

// What would the other tests be worth if this did not fail?
#[tokio::test]
async fn a_store_that_acknowledges_before_it_syncs_is_caught() {
    let records = recorded(&["power", "relaxed", "1"]);
    let points = choose(&records, 2000, |record| matches!(record, Record::Acknowledged(_)));
    let cut = tokio::spawn(async move { cut(&records, &points, Seeded::new(1)).await }).await;
    assert!(cut.is_err_and(|error| error.is_panic()), "nothing was lost without a sync");
}

#[tokio::test]
async fn a_power_cut_while_the_log_moves_into_the_file_loses_nothing() {
    let records = recorded(&["large", "26"]);
    // Only what concerns the file itself; the rest is the other test's.
    let concerns_file = |record: &Record| match record {
        Record::Write { file, .. } | Record::SyncBegin { file, .. } | Record::SyncEnd { file, .. } => {
            file == "hub.db"
        }
        _ => false,
    };
    let points = choose(&records, 10, concerns_file);
    let images = cut(&records, &points, Seeded::new(2)).await;
    eprintln!("{} records, cut at {points:?}, {images} images", records.len());
    assert!(!points.is_empty(), "the log never moved into the file");
}

// R1:OVR-12, R1:SUB-3, R2:ETE-3, R2:MGT-62; DECISIONS 9, 19
#[tokio::test]
async fn what_instances_begin_continue_and_try_again_survives_a_power_cut() {
    let records = recorded(&["kin", "2"]);
    let points = choose(&records, KIN_CUTS, |_| true);
    let images = cut(&records, &points, Seeded::new(3)).await;
    eprintln!("{} records, cut at {}, {images} images", records.len(), points.len());
    assert!(points.len() >= 100, "there was too little to cut");
}
