//! What is to happen at a later time, by time.
//!
//! Pure: gets the time as an argument. Must not know what happens then. Begin with [`Timers`].

use std::collections::BTreeMap;

use super::{
    queue::{Delivered, WaitingActivity},
    rows::Key,
};
use crate::{history::EventId, model::Timestamp};

/// Everything that waits for its time, the earliest first; what is due at one time in the order in
/// which it was added.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<Moment, Due>,
    of_instance: BTreeMap<(Key, Mark), Moment>,
    added: u64,
    purge: Option<Moment>,
}

type Moment = (Timestamp, u64);

/// Something to happen.
#[derive(Debug)]
pub(super) enum Due {
    /// A durable timer fires. Small, because millions may be set.
    Timer { key: Key, timer: EventId, fire_at: Timestamp },
    /// A message becomes visible.
    Message { key: Key, delivered: Box<Delivered> },
    /// An instance that had to wait may be handed out again.
    Instance(Key),
    /// An activity that had to wait may be handed out again.
    Activity(Box<WaitingActivity>),
    /// Ended instances are kept no longer.
    Purge,
}

/// Tells what belongs to one instance apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Instance,
    Timer(EventId),
    Message(u64),
}

impl Timers {
    /// Lets `due` happen at `at`. A durable timer that is set again is moved.
    pub(super) fn add(&mut self, at: Timestamp, due: Due) {
        self.added += 1;
        let moment = (at, self.added);
        let place = match &due {
            Due::Timer { key, timer, .. } => Some((*key, Mark::Timer(*timer))),
            Due::Message { key, .. } => Some((*key, Mark::Message(self.added))),
            Due::Instance(key) => Some((*key, Mark::Instance)),
            Due::Activity(_) | Due::Purge => None,
        };
        if let Some(before) = place.and_then(|place| self.of_instance.insert(place, moment)) {
            self.due.remove(&before);
        }
        self.due.insert(moment, due);
    }

    /// Lets [`Due::Purge`] happen at `at`, or sooner when that is already to come. It happens once.
    pub(super) fn add_purge(&mut self, at: Timestamp) {
        if self.purge.is_some_and(|(before, _)| before <= at) {
            return;
        }
        if let Some(before) = self.purge.take() {
            self.due.remove(&before);
        }
        self.add(at, Due::Purge);
        self.purge = Some((at, self.added));
    }

    /// Takes the earliest thing that is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let (moment, due) = first.remove_entry();
        self.purge.take_if(|purge| *purge == moment);
        let place = match &due {
            Due::Timer { key, timer, .. } => Some((*key, Mark::Timer(*timer))),
            Due::Message { key, .. } => Some((*key, Mark::Message(moment.1))),
            Due::Instance(key) => Some((*key, Mark::Instance)),
            Due::Activity(_) | Due::Purge => None,
        };
        place.map(|place| self.of_instance.remove(&place));
        Some(due)
    }

    /// Forgets a durable timer; whether there was one.
    pub(super) fn cancel(&mut self, key: Key, timer: EventId) -> bool {
        let moment = self.of_instance.remove(&(key, Mark::Timer(timer)));
        moment.and_then(|moment| self.due.remove(&moment)).is_some()
    }

    /// Forgets until when an instance has to wait.
    pub(super) fn cancel_delay(&mut self, key: Key) {
        if let Some(moment) = self.of_instance.remove(&(key, Mark::Instance)) {
            self.due.remove(&moment);
        }
    }

    /// Takes everything that belongs to an instance.
    pub(super) fn remove_all(&mut self, key: Key) -> Vec<Due> {
        let range = (key, Mark::Instance)..=(key, Mark::Message(u64::MAX));
        let places: Vec<_> = self.of_instance.extract_if(range, |_, _| true).collect();
        places.into_iter().filter_map(|(_, moment)| self.due.remove(&moment)).collect()
    }

    /// Whether the durable timer is set.
    pub(super) fn has_timer(&self, key: Key, timer: EventId) -> bool {
        self.of_instance.contains_key(&(key, Mark::Timer(timer)))
    }

    /// Whether something else than a purge is to come: that alone is no reason for time to pass.
    pub(super) fn has_messages(&self, key: Key) -> bool {
        self.of_instance.range((key, Mark::Message(0))..=(key, Mark::Message(u64::MAX))).next().is_some()
    }

    pub(super) fn has_more_than_a_purge(&self) -> bool {
        self.due.len() > usize::from(self.purge.is_some())
    }

    /// When the next thing is due.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|(moment, _)| moment.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_microseconds(seconds * 1_000_000)
    }

    fn timer(key: Key, number: i32, due: i64) -> Due {
        Due::Timer { key, timer: EventId::from_i32(number), fire_at: at(due) }
    }

    fn taken(timers: &mut Timers, now: i64) -> Vec<(Key, i32)> {
        std::iter::from_fn(|| timers.take_due(at(now)))
            .map(|due| match due {
                Due::Timer { key, timer, .. } => (key, timer.as_i32()),
                other => panic!("no timer: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_due_comes_by_time_and_then_in_the_order_it_was_added() {
        let mut timers = Timers::default();
        for (key, due) in [(1, 5), (2, 3), (3, 5), (4, 9)] {
            timers.add(at(due), timer(key, 0, due));
        }
        assert_eq!(timers.first(), Some(at(3)));
        assert_eq!(taken(&mut timers, 5), [(2, 0), (1, 0), (3, 0)]);
        assert_eq!(taken(&mut timers, 8), []);
        assert_eq!(taken(&mut timers, 9), [(4, 0)]);
        assert_eq!(timers.first(), None);
    }

    #[test]
    fn a_cancelled_timer_and_those_of_a_removed_instance_never_come() {
        let mut timers = Timers::default();
        for number in 0..3 {
            timers.add(at(1), timer(1, number, 1));
            timers.add(at(1), timer(2, number, 1));
        }
        timers.add(at(1), Due::Instance(1));
        assert!(timers.cancel(2, EventId::from_i32(1)));
        assert!(!timers.cancel(2, EventId::from_i32(1)));
        assert_eq!(timers.remove_all(1).len(), 4);
        assert!(!timers.has_timer(1, EventId::FIRST));
        assert!(timers.has_timer(2, EventId::FIRST));
        assert_eq!(taken(&mut timers, 1), [(2, 0), (2, 2)]);
    }

    #[test]
    fn a_timer_that_is_set_again_comes_once() {
        let mut timers = Timers::default();
        timers.add(at(1), timer(1, 0, 1));
        timers.add(at(2), timer(1, 0, 2));
        assert_eq!(taken(&mut timers, 1), []);
        assert_eq!(taken(&mut timers, 2), [(1, 0)]);
    }
    #[test]
    fn of_several_purges_only_the_earliest_comes() {
        let mut timers = Timers::default();
        for seconds in [2, 1, 3] {
            timers.add_purge(at(seconds));
        }
        assert_eq!(timers.first(), Some(at(1)));
        assert!(!timers.has_more_than_a_purge());
        assert!(matches!(timers.take_due(at(9)), Some(Due::Purge)));
        assert_eq!(timers.first(), None);
        timers.add_purge(at(5));
        assert_eq!(timers.first(), Some(at(5)));
    }
}
