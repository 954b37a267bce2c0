//! Many activities at once, then their sum: backs up a folder (R1:FAN).
//!
//! `cargo run -p durable-examples --bin fan_out_fan_in -- [folder] [target]`, and after a crash the
//! same again: files that were copied stay copied, the others follow.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{error::Error, fs, io, path::Component, path::Path, path::PathBuf, sync::LazyLock};

use durable::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};

/// What is backed up when nothing is named: the folder this program is built from (R1:FAN-1).
const OWN_FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// What people watch. Only activities touch it: an orchestrator runs more often than once.
static BAR: LazyLock<ProgressBar> = LazyLock::new(|| {
    let bar = "{bar:40.green} {decimal_bytes} of {decimal_total_bytes}  {wide_msg}";
    ProgressBar::new(0).with_style(ProgressStyle::with_template(bar).expect("a well-formed template"))
});

/// Copies every file below `root`, all at once, and gives the number of bytes (R1:FAN-3).
#[orchestrator(name = "E2_BackupSiteContent")]
async fn backup(ctx: OrchestrationContext, root: Option<String>, target: PathBuf) -> Result<u64, Failure> {
    let root = root.as_deref().map(str::trim).filter(|root| !root.is_empty()).unwrap_or(OWN_FOLDER);
    let files = ctx.call(get_file_list::with(PathBuf::from(root), target.clone())).await?;
    let copies = files.into_iter().map(|file| ctx.call(copy_file::with(file, target.clone())));
    Ok(futures::future::try_join_all(copies).await?.into_iter().sum())
}

/// Every file below `root`. An activity, since an orchestrator must not look at the disk (R1:FAN-5).
#[activity(name = "E2_GetFileList")]
async fn get_file_list(root: PathBuf, target: PathBuf) -> io::Result<Vec<PathBuf>> {
    BAR.suspend(|| println!("Searching for files under '{}'...", root.display()));
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        let mut entries = tokio::fs::read_dir(&folder).await.map_err(about(&folder))?;
        while let Some(entry) = entries.next_entry().await? {
            let (path, kind) = (entry.path(), entry.file_type().await?);
            if kind.is_dir() && path != target {
                folders.push(path);
            } else if kind.is_file() {
                BAR.inc_length(entry.metadata().await?.len());
                files.push(path);
            }
        }
    }
    BAR.suspend(|| println!("Found {} file(s) under {}.", files.len(), root.display()));
    Ok(files)
}

/// Streams one file to its place below `target`, and gives its size (R1:FAN-4).
#[activity(name = "E2_CopyFileToBlob")]
async fn copy_file(file: PathBuf, target: PathBuf) -> io::Result<u64> {
    let names = file.components().filter(|part| matches!(part, Component::Normal(_)));
    let copy = target.join(names.collect::<PathBuf>());
    BAR.set_message(format!("Copying '{}'", file.display()));
    tokio::fs::create_dir_all(copy.parent().unwrap_or(&target)).await.map_err(about(&copy))?;
    let mut from = BAR.wrap_async_read(tokio::fs::File::open(&file).await.map_err(about(&file))?);
    let mut to = tokio::fs::File::create(&copy).await.map_err(about(&copy))?;
    let size = tokio::io::copy(&mut from, &mut to).await.map_err(about(&copy))?;
    to.sync_all().await.map_err(about(&copy))?; // That it is copied is kept for good; so is the copy.
    Ok(size)
}

fn about(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let root = arguments.next().map(|root| root.canonicalize().map_err(about(&root))).transpose()?;
    let target = arguments.next().unwrap_or_else(|| ".backup".into());
    fs::create_dir_all(&target).map_err(about(&target))?;
    let target = target.canonicalize()?;
    let hub = TaskHub::open(format!("sqlite:{}", target.join("backup.db").display())).await?;
    let (worker, client) = (hub.worker().start().await?, hub.client());
    let mut run = client.run(backup::at("backup"))?;
    if run.state().await?.is_none_or(|state| state.runtime_status.is_terminal()) {
        let root = root.map(|root| root.display().to_string());
        run = client.start(backup::with(root, target.clone()).instance_id("backup")).await?;
    }
    let total: u64 = run.output().await?;
    BAR.finish_with_message("done");
    println!("\nBacked up {total} bytes to '{}'.", target.display());
    Ok(worker.shut_down().await?)
}
