//! Sessions kept in memory between episodes, so that an instance goes on without a replay.
//!
//! A bounded cache: it may forget anything at any time. A session is valid exactly if its
//! checkpoint is the one the work item names; one whose commit failed, or may have, is never used
//! again. Begin with [`Sessions`].

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use lru::LruCache;

use crate::{model::InstanceId, provider::CheckpointTag, replay::Session};

/// The suspended orchestrators of one worker, the least recently used first to go.
#[derive(Debug)]
pub struct Sessions {
    kept: Mutex<Kept>,
    most_bytes: usize,
}

#[derive(Debug)]
struct Kept {
    sessions: LruCache<InstanceId, Parked>,
    bytes: usize,
}

#[derive(Debug)]
struct Parked {
    tag: CheckpointTag,
    session: Session,
    bytes: usize,
}

impl Sessions {
    /// Keeps sessions of about `most_bytes` together; 0 keeps none.
    pub fn new(most_bytes: usize) -> Self {
        Self { kept: Mutex::new(Kept { sessions: LruCache::unbounded(), bytes: 0 }), most_bytes }
    }

    /// Takes out the session of `instance`, if it stands at checkpoint `tag`. One that stands
    /// elsewhere is dropped.
    pub fn take(&self, instance: &InstanceId, tag: Option<CheckpointTag>) -> Option<Session> {
        let parked = self.lock().remove(instance)?;
        (Some(parked.tag) == tag).then_some(parked.session)
    }

    /// Keeps `session`, which stands at checkpoint `tag` once that is durable.
    pub fn put(&self, instance: InstanceId, tag: CheckpointTag, session: Session) {
        let bytes = session.weight();
        let evicted = self.lock().insert(instance, Parked { tag, session, bytes }, self.most_bytes);
        // Unloading runs user drop code: not under the lock.
        drop(evicted);
    }

    /// Forgets the session of `instance`, if it stands at `tag`: its commit failed, or may have.
    pub fn forget(&self, instance: &InstanceId, tag: CheckpointTag) {
        let parked = {
            let mut kept = self.lock();
            let is_this = kept.sessions.peek(instance).is_some_and(|parked| parked.tag == tag);
            if is_this { kept.remove(instance) } else { None }
        };
        drop(parked);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, instance: &InstanceId) -> Option<Parked> {
        let parked = self.sessions.pop(instance)?;
        self.bytes -= parked.bytes;
        if self.sessions.is_empty() {
            // A burst must not keep its memory: the map shrinks once it is empty.
            self.sessions.resize(NonZeroUsize::MIN);
            self.sessions = LruCache::unbounded();
        }
        Some(parked)
    }

    fn insert(&mut self, instance: InstanceId, parked: Parked, most_bytes: usize) -> Vec<Parked> {
        self.bytes += parked.bytes;
        let mut gone: Vec<_> = self.sessions.push(instance, parked).map(|(_, old)| old).into_iter().collect();
        self.bytes -= gone.iter().map(|old| old.bytes).sum::<usize>();
        while self.bytes > most_bytes {
            let Some((_, oldest)) = self.sessions.pop_lru() else { break };
            self.bytes -= oldest.bytes;
            gone.push(oldest);
        }
        gone
    }
}
