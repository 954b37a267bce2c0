//! Tells whoever watches a run how far it is.

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::Duration,
};

use crate::{Line, Tally};

const INTERVAL: Duration = Duration::from_millis(100);

/// Prints [`Line::Done`] ten times per second until it is dropped.
#[derive(Debug)]
pub struct Pulse {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Prints what `tally` counts. Does nothing unless somebody watches.
    pub fn start(tally: &'static Tally, watched: bool) -> Self {
        if !watched {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if Line::Done(tally.count()).print().is_err() {
                    return;
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A pulse that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}
