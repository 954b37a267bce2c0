//! Lets a test decide in which order things happen, and count how often: by name, since functions
//! are not closures.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    task::{Context, Wake, Waker},
    thread::{self, Thread},
};

use tokio::sync::Semaphore;

static GATES: LazyLock<Mutex<BTreeMap<String, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);
static COUNTS: LazyLock<Mutex<BTreeMap<String, usize>>> = LazyLock::new(Mutex::default);

/// Waits until somebody opens the gate `name`. Needs no runtime.
pub async fn pass(name: &str) {
    // A gate is never closed, so that this always is a permit.
    drop(gate(name).acquire().await);
}

/// Blocks this thread until somebody opens the gate `name`. By hand: an executor would notice that an
/// orchestrator is being polled here, and refuse.
pub fn block(name: &str) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut passing = pin!(pass(name));
    while passing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
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
