//! The embedded provider keeps its promises, in memory and in a file.
//!
//! The cases are those of `durable-testkit`; here are only the hubs on which they run. The clock is
//! virtual, so that nobody waits for a timer.

#![expect(clippy::unwrap_used, reason = "hubs that cannot be opened end the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use durable::{
    embedded::{EmbeddedProvider, Options},
    provider::Provider,
};
use durable_testkit::{
    VirtualClock,
    conformance::{Capability, Hub, ProviderFactory},
};

/// Hubs that are gone with the process.
struct Memory;

impl ProviderFactory for Memory {
    fn fresh(&self) -> Hub {
        let provider = EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap();
        Hub::new(Arc::new(provider))
    }

    fn capabilities(&self) -> &[Capability] {
        &[Capability::Retention]
    }

    fn skips(&self) -> usize {
        26
    }
}

/// Hubs in a file each, in a folder of its own.
struct File;

impl ProviderFactory for File {
    fn fresh(&self) -> Hub {
        open(Folder::new(), VirtualClock::new())
    }

    /// Copies the files as they are, as a dead process leaves them: what a process writes when it
    /// ends in good order must not be in them.
    fn reopen(&self, hub: Hub) -> Option<Hub> {
        let clock = VirtualClock::at(hub.provider.clock().now());
        let old = hub.kept.as_ref()?.downcast_ref::<Folder>()?;
        let new = Folder::new();
        for file in ["hub.db", "hub.db-wal"] {
            if old.0.join(file).exists() {
                fs::copy(old.0.join(file), new.0.join(file)).unwrap();
            }
        }
        Some(open(new, clock))
    }

    fn capabilities(&self) -> &[Capability] {
        &[Capability::Restart, Capability::Retention]
    }

    fn skips(&self) -> usize {
        1
    }
}

fn open(folder: Folder, clock: VirtualClock) -> Hub {
    let options = Options { clock: Arc::new(clock), ..Options::default() };
    let provider: Arc<dyn Provider> =
        Arc::new(EmbeddedProvider::open(&folder.0.join("hub.db"), options).unwrap());
    Hub::new(provider).keeping(folder)
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("conformance-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the build folder, and does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

mod memory {
    use super::*;
    durable_testkit::provider_conformance!(Memory);
}

mod file {
    use super::*;
    durable_testkit::provider_conformance!(File);
}
