//! Sessions kept in memory between episodes, so that an instance goes on without a replay.
//!
//! A bounded cache: it may forget anything at any time. A session is valid exactly if its
//! checkpoint is the one the work item names; one whose commit failed, or may have, is never used
//! again. Begin with [`Sessions`].

use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::{model::InstanceId, provider::CheckpointTag, replay::Session};

/// For how many sessions an empty cache keeps its room.
const ROOM_TO_KEEP: usize = 1024;

/// The suspended orchestrators of one worker, or the entities that are at rest, the least recently used
/// first to go.
#[derive(Debug)]
pub struct Sessions<T = Session> {
    kept: Mutex<Kept<T>>,
    most_bytes: usize,
}

#[derive(Debug)]
struct Kept<T> {
    sessions: LruCache<InstanceId, Parked<T>>,
    bytes: usize,
    /// How many there have been at once: what the map has room for.
    peak: usize,
}

#[derive(Debug)]
struct Parked<T> {
    tag: CheckpointTag,
    session: T,
    bytes: usize,
}

impl<T> Sessions<T> {
    /// Keeps sessions of about `most_bytes` together; 0 keeps none.
    pub fn new(most_bytes: usize) -> Self {
        Self { kept: Mutex::new(Kept { sessions: LruCache::unbounded(), bytes: 0, peak: 0 }), most_bytes }
    }

    /// Takes out the session of `instance`, if it stands at checkpoint `tag`. One that stands
    /// elsewhere is dropped.
    pub fn take(&self, instance: &InstanceId, tag: Option<CheckpointTag>) -> Option<T> {
        let parked = self.lock().remove(instance)?;
        (Some(parked.tag) == tag).then_some(parked.session)
    }

    /// Keeps `session`, which takes about `bytes` and stands at checkpoint `tag` once that is durable.
    pub fn put(&self, instance: InstanceId, tag: CheckpointTag, session: T, bytes: usize) {
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Kept<T> {
    fn remove(&mut self, instance: &InstanceId) -> Option<Parked<T>> {
        let parked = self.sessions.pop(instance)?;
        self.bytes -= parked.bytes;
        if self.sessions.is_empty() && self.peak > ROOM_TO_KEEP {
            // A burst must not keep its memory for ever.
            self.sessions = LruCache::unbounded();
            self.peak = 0;
        }
        Some(parked)
    }

    fn insert(&mut self, instance: InstanceId, parked: Parked<T>, most_bytes: usize) -> Vec<Parked<T>> {
        self.bytes += parked.bytes;
        let mut gone: Vec<_> = self.sessions.push(instance, parked).map(|(_, old)| old).into_iter().collect();
        self.bytes -= gone.iter().map(|old| old.bytes).sum::<usize>();
        self.peak = self.peak.max(self.sessions.len());
        while self.bytes > most_bytes {
            let Some((_, oldest)) = self.sessions.pop_lru() else { break };
            self.bytes -= oldest.bytes;
            gone.push(oldest);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        history::ExecutionStarted,
        model::{ExecutionId, Payload},
        replay::SessionOptions,
    };

    fn id(name: &str) -> InstanceId {
        InstanceId::new(name).unwrap()
    }

    fn session(name: &str) -> Session {
        let started = ExecutionStarted {
            name: "idle".into(),
            version: None,
            input: Payload::null(),
            instance: id(name),
            execution: ExecutionId::new("e"),
            generation: 0,
            tags: Default::default(),
            scheduled_start: None,
            retention: None,
            parent: None,
            behaviour: 0,
        };
        Session::new(started, Arc::new(|_, input| Box::pin(async { Ok(input) })), SessionOptions::default())
    }

    const FIRST: CheckpointTag = CheckpointTag(1);
    const SECOND: CheckpointTag = CheckpointTag(2);

    // R2:PERF-12, R2:HUB-18
    #[test]
    fn a_session_is_given_only_for_its_own_checkpoint_and_only_once() {
        let sessions = Sessions::new(usize::MAX);
        sessions.put(id("a"), FIRST, session("a"), 1);
        assert!(sessions.take(&id("b"), Some(FIRST)).is_none());
        assert!(sessions.take(&id("a"), Some(FIRST)).is_some());
        assert!(sessions.take(&id("a"), Some(FIRST)).is_none());
    }

    #[test]
    fn a_session_that_stands_elsewhere_is_dropped() {
        for asked in [Some(SECOND), None] {
            let sessions = Sessions::new(usize::MAX);
            sessions.put(id("a"), FIRST, session("a"), 1);
            assert!(sessions.take(&id("a"), asked).is_none());
            assert!(sessions.take(&id("a"), Some(FIRST)).is_none());
        }
    }

    #[test]
    fn what_is_forgotten_is_the_failed_checkpoint_and_not_a_newer_one() {
        let sessions = Sessions::new(usize::MAX);
        sessions.put(id("a"), SECOND, session("a"), 1);
        sessions.forget(&id("a"), FIRST);
        assert!(sessions.take(&id("a"), Some(SECOND)).is_some());
        sessions.put(id("a"), SECOND, session("a"), 1);
        sessions.forget(&id("a"), SECOND);
        assert!(sessions.take(&id("a"), Some(SECOND)).is_none());
    }

    // R2:PERF-16
    #[test]
    fn the_least_recently_used_goes_first_when_room_is_short() {
        let sessions = Sessions::new(2);
        for name in ["a", "b"] {
            sessions.put(id(name), FIRST, session(name), 1);
        }
        let a = sessions.take(&id("a"), Some(FIRST)).unwrap();
        sessions.put(id("a"), SECOND, a, 1);
        sessions.put(id("c"), FIRST, session("c"), 1);
        assert!(sessions.take(&id("b"), Some(FIRST)).is_none());
        assert!(sessions.take(&id("a"), Some(SECOND)).is_some());
        assert!(sessions.take(&id("c"), Some(FIRST)).is_some());
    }

    // R2:PERF-14
    #[test]
    fn without_room_nothing_is_kept() {
        let sessions = Sessions::new(0);
        sessions.put(id("a"), FIRST, session("a"), 1);
        assert!(sessions.take(&id("a"), Some(FIRST)).is_none());
    }
}
