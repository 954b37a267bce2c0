//! How long the disk itself takes, so that figures of different minutes can be compared.
//!
//! Cloud disks are throttled at times: a figure without the disk's own is not worth much.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::{GaugeError, Spread, Stopwatch};

const APPENDS: usize = 200;
const BLOCK: [u8; 4096] = [0xA5; 4096];

/// Appends 4 KiB to a file in `folder` and syncs its data, 200 times; gives how long each took.
///
/// # Errors
/// When `folder` cannot be written.
pub fn sync_times(folder: &Path) -> Result<Spread, GaugeError> {
    let path = folder.join("fdatasync.probe");
    let measured = append(&path);
    let removed = std::fs::remove_file(&path);
    measured
        .and_then(|times| removed.map(|()| times))
        .map_err(|source| GaugeError::Disk { path: path.clone(), source })
}

fn append(path: &Path) -> io::Result<Spread> {
    let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
    let mut times = Spread::default();
    for _ in 0..APPENDS {
        let watch = Stopwatch::start();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        times.add(watch.elapsed());
    }
    Ok(times)
}
