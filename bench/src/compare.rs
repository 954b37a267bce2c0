//! Runs the contenders in turn, and the disk's own test before and after.
//!
//! In turn, so that a disk which is throttled meanwhile slows all of them. Begin with [`run`].

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use durable_bench_gauge::{Job, Measured, Stage, sync_times};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    args::{CONTENDER, Request},
    contender::Contender,
    error::BenchError,
    summary::{Runs, Summary},
};

/// Measures what `request` asks for.
pub(crate) fn run(request: &Request) -> Result<Summary, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::system("finding", "this program"))?;
    let beside = program.parent().map(Path::to_path_buf).unwrap_or_default();
    let peer = match request.peer {
        Some(peer) => Some(peer.build(&beside.join("peers"))?),
        None => None,
    };
    let ours = Contender { name: "durable", program, leading: vec![CONTENDER.to_owned()] };
    let folder = Folder::create(request.folder.as_ref().unwrap_or(&beside))?;
    let disk_before = sync_times(&folder.0)?;
    let (mut our_runs, mut peer_runs) = (Vec::new(), Vec::new());
    for number in 1..=request.runs {
        our_runs.push(one(&ours, request, request.size, &folder, number)?);
        if let Some(peer) = &peer {
            peer_runs.push(one(peer, request, request.peer_size, &folder, number)?);
        }
    }
    let disk_after = sync_times(&folder.0)?;
    let ours = runs(our_runs).expect("a request has at least one run");
    Ok(Summary { ours, peer: runs(peer_runs), disk_before, disk_after })
}

fn runs(mut measured: Vec<Measured>) -> Option<Runs> {
    let first = measured.pop()?;
    Some(Runs::new(first, measured))
}

/// One run of one contender, on a store of its own.
fn one(
    contender: &Contender,
    request: &Request,
    size: u64,
    folder: &Folder,
    number: usize,
) -> Result<Measured, BenchError> {
    let mut job = Job {
        workload: request.workload,
        size,
        file: folder.0.join(format!("{}-{number}.db", contender.name)),
        durability: request.durability,
        limit: request.limit,
        stage: Stage::First,
        watched: std::io::stderr().is_terminal(),
    };
    let bar = bar(size, format!("{} {number}/{}", contender.name, request.runs));
    let measured = contender.run(&job, |operations| bar.set_position(operations));
    bar.finish_and_clear();
    let mut measured = measured?;
    if request.workload.restarts() {
        job.stage = Stage::Restarted;
        let restarted = contender.run(&job, |_| ())?;
        measured.ready_seconds = restarted.ready_seconds;
        measured.peak_mb = measured.peak_mb.max(restarted.peak_mb);
    }
    folder.empty()?;
    Ok(measured)
}

/// Draws on standard error, and only on a terminal.
fn bar(size: u64, name: String) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:>14} {bar:40.green} {human_pos} of {human_len}  {elapsed}")
            .expect("a well-formed template");
    let bar = ProgressBar::new(size).with_style(style).with_prefix(name);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A folder for the stores, removed with everything in it in the end.
struct Folder(PathBuf);

impl Folder {
    fn create(within: &Path) -> Result<Self, BenchError> {
        let path = within.join(format!("durable-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(BenchError::system("making the folder", &path))?;
        Ok(Self(path))
    }

    /// Removes what a run left, so that the next finds the same disk.
    fn empty(&self) -> Result<(), BenchError> {
        let failed = || BenchError::system("emptying the folder", &self.0);
        for entry in std::fs::read_dir(&self.0).map_err(failed())? {
            std::fs::remove_file(entry.map_err(failed())?.path()).map_err(failed())?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody, and an error on the way out would hide the one before.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
