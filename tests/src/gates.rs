//! Lets a test decide in which order things happen, and count how often: by name, since functions
//! are not closures.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

static GATES: LazyLock<Mutex<BTreeMap<String, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);
static COUNTS: LazyLock<Mutex<BTreeMap<String, usize>>> = LazyLock::new(Mutex::default);

/// Waits until somebody opens the gate `name`. Needs no runtime.
pub async fn pass(name: &str) {
    // A gate is never closed, so that this always is a permit.
    drop(gate(name).acquire().await);
}

/// Blocks this thread until somebody opens the gate `name`.
pub fn block(name: &str) {
    futures::executor::block_on(pass(name));
}

/// Opens the gate `name`, for good.
pub fn open(name: &str) {
    gate(name).add_permits(1000);
}

/// Counts one more `name`.
pub fn count(name: &str) {
    *COUNTS.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
}

/// How often `name` was counted.
pub fn counted(name: &str) -> usize {
    COUNTS.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
}

fn gate(name: &str) -> Arc<Semaphore> {
    let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))).clone()
}
