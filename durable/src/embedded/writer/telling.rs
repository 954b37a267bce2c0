//! Telling those who wait for an instance that their wait is over.
//!
//! Begin with [`Writer::tell_met`].

use std::mem;

use super::Writer;
use crate::embedded::queue::Met;

impl Writer {
    /// Tells those whose wait is over according to the store, whoever changed it.
    pub(super) fn tell_waiters(&mut self) {
        let awaited: Vec<_> = self.shared.update(|queue| queue.waiters.instances().cloned().collect());
        for instance in awaited {
            match self.store.state(&instance) {
                Ok(Some(state)) => {
                    self.shared.update(|queue| queue.notice(&instance, state.runtime_status, Some(state)));
                }
                _ => self.shared.update(|queue| queue.waiters.dismiss(&instance)),
            }
        }
        self.tell_met();
    }

    /// Gives the state to those whose wait is over. It is read here, before the next transaction
    /// can replace the instance.
    pub(super) fn tell_met(&mut self) {
        let met = self.shared.update(|queue| mem::take(&mut queue.met));
        if met.is_empty() {
            return;
        }
        self.store.begin_reading();
        for Met { instance, state, waiters } in met {
            // Who is not told looks again, and finds the error.
            let state = state.map_or_else(|| self.store.state(&instance), |state| Ok(Some(state)));
            let Ok(Some(state)) = state else { continue };
            for waiter in waiters {
                waiter.answer(state.clone());
            }
        }
        self.store.end_reading();
    }
}
