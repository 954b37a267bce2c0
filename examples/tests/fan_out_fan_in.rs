//! What the backup decides, with its activities replaced: what is backed up when nothing is named,
//! and that all sizes are added up. That it copies is `cargo xtask test`'s to see.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::path::{Path, PathBuf};

use durable::prelude::*;
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/fan_out_fan_in.rs"]
mod example;

/// The listed folder stands first in the list, so that its "size" tells which one it was.
async fn hub(listed: &'static str) -> TestHub {
    TestHub::builder()
        .activity("E2_GetFileList")
        .by(|root: PathBuf, _target: PathBuf| vec![root, "a".into(), "bc".into()])
        .activity("E2_CopyFileToBlob")
        .by(move |file: PathBuf, target: PathBuf| {
            assert_eq!(target, Path::new("target"));
            if file == Path::new(listed) { 1000 } else { file.as_os_str().len() as u64 }
        })
        .start()
        .await
        .unwrap()
}

async fn total(hub: &TestHub, root: Option<&str>) -> u64 {
    hub.run(Call::orchestration("E2_BackupSiteContent", (root, "target"))).await.unwrap()
}

// R1:FAN-1, R1:FAN-3, R1:SMP-9
#[tokio::test]
async fn a_folder_that_is_not_named_is_the_programs_own() {
    let hub = hub(env!("CARGO_MANIFEST_DIR")).await;
    for root in [None, Some(""), Some(" \t ")] {
        assert_eq!(total(&hub, root).await, 1003, "{root:?}");
    }
}

// R1:FAN-1, R1:FAN-3
#[tokio::test]
async fn a_named_folder_is_trimmed() {
    assert_eq!(total(&hub("/site").await, Some(" /site ")).await, 1003);
}
