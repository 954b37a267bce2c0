//! Where the tests beside this folder run: every embedded store, with kept sessions and without; and
//! how they look without sleeping.
//!
//! Must not know what is tested. Begin with [`each_hub`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use crate::Folder;
use durable::{history::History, model::InstanceState, prelude::*, worker::Worker};

/// Every store, with sessions that are kept and with ones that are replayed each time.
pub async fn each_hub(folder: &Folder) -> Vec<Place> {
    let mut places = Vec::new();
    for replays in [false, true] {
        for address in ["memory:".to_owned(), folder.hub(&format!("{replays}.db"))] {
            let key = format!("{} {}", folder.path().display(), places.len());
            let hub = TaskHub::open(&address).await.unwrap();
            places.push(Place { address, replays, key, hub });
        }
    }
    places
}

/// A hub to test on.
pub struct Place {
    /// Where it is.
    pub address: String,
    /// Whether every episode replays.
    pub replays: bool,
    /// For gates: no other place has it.
    pub key: String,
    /// The hub, open.
    pub hub: TaskHub,
}

impl Place {
    /// Starts a worker.
    pub async fn worker(&self) -> Worker {
        self.hub.worker().always_replay(self.replays).start().await.unwrap()
    }

    /// As after a new start of the process, as far as the store outlives one.
    pub async fn reopened(self) -> Self {
        if self.address == "memory:" {
            return self;
        }
        let Self { address, replays, key, hub } = self;
        drop(hub);
        let hub = TaskHub::open(&address).await.unwrap();
        Self { address, replays, key, hub }
    }
}

/// Looks until the instance stands at `status`.
pub async fn until<O>(run: &Run<O>, status: RuntimeStatus) -> InstanceState {
    loop {
        let state = run.state().await.unwrap().unwrap();
        if state.runtime_status == status {
            return state;
        }
        tokio::task::yield_now().await;
    }
}

/// Looks until the history holds `count` events of that name.
pub async fn until_recorded<O>(run: &Run<O>, name: &str, count: usize) {
    while names(&run.history().await.unwrap()).iter().filter(|found| **found == name).count() < count {
        tokio::task::yield_now().await;
    }
}

/// The names of its events.
pub fn names(history: &History) -> Vec<&'static str> {
    history.events().iter().map(|event| event.kind.name()).collect()
}
