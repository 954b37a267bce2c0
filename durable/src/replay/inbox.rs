//! External events: those that wait for somebody, and those somebody waits for.
//!
//! Events of one name are served first in, first out, to waits in the order of their construction.
//! An event counts as consumed when user code observes it: a wait that is dropped before that gives
//! its event back to its place. Must not wake anybody: it hands wakers out.

use std::{
    collections::{BTreeMap, VecDeque},
    task::Waker,
};

use crate::model::{EventName, Payload};

/// One construction of a wait, counted within the execution. Not part of history.
pub(super) type WaitId = u64;

/// The events and waits of one execution.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    mailboxes: BTreeMap<EventName, Mailbox>,
    waits: BTreeMap<WaitId, Wait>,
    next_wait: WaitId,
    arrivals: u64,
}

#[derive(Debug, Default)]
struct Mailbox {
    /// In the order of arrival.
    unclaimed: VecDeque<Arrived>,
    /// In the order of construction.
    waiting: VecDeque<WaitId>,
}

#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) arrival: u64,
    pub(super) data: Payload,
}

#[derive(Debug)]
struct Wait {
    name: EventName,
    state: WaitState,
}

#[derive(Debug)]
enum WaitState {
    Waiting(Option<Waker>),
    Given(Arrived),
}

/// What becomes of a waker that is handed out.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// To be woken.
    pub(super) wake: Option<Waker>,
    /// To be dropped without a call.
    pub(super) discard: Option<Waker>,
}

impl Inbox {
    pub(super) fn arrive(&mut self, name: &EventName, data: Payload) -> Option<Waker> {
        let arrived = Arrived { arrival: self.arrivals, data };
        self.arrivals += 1;
        self.place(name, arrived)
    }

    /// Gives an event to the first wait, or keeps it at its place in the order of arrival.
    fn place(&mut self, name: &EventName, arrived: Arrived) -> Option<Waker> {
        if !self.mailboxes.contains_key(name) {
            self.mailboxes.insert(name.clone(), Mailbox::default());
        }
        let mailbox = self.mailboxes.get_mut(name)?;
        if let Some(first) = mailbox.waiting.pop_front() {
            self.remove_if_empty(name);
            let wait = self.waits.get_mut(&first)?;
            return match std::mem::replace(&mut wait.state, WaitState::Given(arrived)) {
                WaitState::Waiting(waker) => waker,
                WaitState::Given(_) => None,
            };
        }
        let place = mailbox.unclaimed.partition_point(|other| other.arrival < arrived.arrival);
        mailbox.unclaimed.insert(place, arrived);
        None
    }

    pub(super) fn wait(&mut self, name: EventName) -> WaitId {
        let id = self.next_wait;
        self.next_wait += 1;
        let mailbox = self.mailboxes.entry(name.clone()).or_default();
        let state = match mailbox.unclaimed.pop_front() {
            Some(arrived) => WaitState::Given(arrived),
            None => {
                mailbox.waiting.push_back(id);
                WaitState::Waiting(None)
            }
        };
        self.remove_if_empty(&name);
        self.waits.insert(id, Wait { name, state });
        id
    }

    fn remove_if_empty(&mut self, name: &EventName) {
        if self.mailboxes.get(name).is_some_and(|box_| box_.unclaimed.is_empty() && box_.waiting.is_empty()) {
            self.mailboxes.remove(name);
        }
    }

    /// Whether the wait has its event, and nobody took it.
    pub(super) fn is_given(&self, id: WaitId) -> bool {
        matches!(self.waits.get(&id), Some(Wait { state: WaitState::Given(_), .. }))
    }

    /// Takes the event: user code observes it now.
    pub(super) fn take(&mut self, id: WaitId) -> Option<Arrived> {
        if !matches!(self.waits.get(&id)?.state, WaitState::Given(_)) {
            return None;
        }
        match self.waits.remove(&id)?.state {
            WaitState::Given(arrived) => Some(arrived),
            WaitState::Waiting(_) => None,
        }
    }

    /// Where the wait keeps the waker to call; `None` when it has its event.
    pub(super) fn waker_of(&mut self, id: WaitId) -> Option<&mut Option<Waker>> {
        match &mut self.waits.get_mut(&id)?.state {
            WaitState::Waiting(waker) => Some(waker),
            WaitState::Given(_) => None,
        }
    }

    /// User code dropped the wait. An event it had not observed goes back, perhaps to another wait.
    pub(super) fn withdraw(&mut self, id: WaitId) -> Handover {
        let Some(Wait { name, state }) = self.waits.remove(&id) else { return Handover::default() };
        match state {
            WaitState::Waiting(waker) => {
                if let Some(mailbox) = self.mailboxes.get_mut(&name) {
                    mailbox.waiting.retain(|&other| other != id);
                }
                self.remove_if_empty(&name);
                Handover { wake: None, discard: waker }
            }
            WaitState::Given(arrived) => Handover { wake: self.place(&name, arrived), discard: None },
        }
    }

    /// Takes every event that user code has not observed, in the order of arrival.
    pub(super) fn take_unobserved(&mut self) -> Vec<(EventName, Payload)> {
        let mut left = Vec::new();
        for (name, mailbox) in &mut self.mailboxes {
            left.extend(mailbox.unclaimed.drain(..).map(|arrived| (name.clone(), arrived)));
        }
        // A wait that was leaked instead of dropped still has its event.
        let given = std::mem::take(&mut self.waits).into_values().filter_map(|wait| match wait.state {
            WaitState::Given(arrived) => Some((wait.name, arrived)),
            WaitState::Waiting(_) => None,
        });
        left.extend(given);
        left.sort_by_key(|(_, arrived)| arrived.arrival);
        left.into_iter().map(|(name, arrived)| (name, arrived.data)).collect()
    }

    /// The ids of the waits without an event, and the arrivals nobody claimed: what two runs that
    /// stand at the same point have in common.
    pub(super) fn fingerprint(&self) -> impl Iterator<Item = u64> + '_ {
        let waits = self.waits.iter().map(|(id, wait)| match &wait.state {
            WaitState::Waiting(_) => id << 1,
            WaitState::Given(arrived) => (arrived.arrival << 1) | 1,
        });
        let unclaimed = self.mailboxes.values().flat_map(|mailbox| &mailbox.unclaimed);
        waits.chain(unclaimed.map(|arrived| arrived.arrival)).chain([self.next_wait, self.arrivals])
    }

    /// How many waits and unclaimed events it keeps.
    pub(super) fn size(&self) -> usize {
        self.waits.len() + self.mailboxes.values().map(|mailbox| mailbox.unclaimed.len()).sum::<usize>()
    }

    /// Every waker still held, to be dropped outside any lock.
    pub(super) fn drain_wakers(&mut self) -> Vec<Waker> {
        let waits = std::mem::take(&mut self.waits);
        self.mailboxes.clear();
        waits
            .into_values()
            .filter_map(|wait| match wait.state {
                WaitState::Waiting(waker) => waker,
                WaitState::Given(_) => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(number: u32) -> Payload {
        Payload::of(&number).unwrap()
    }

    fn taken(inbox: &mut Inbox, wait: WaitId) -> Option<u32> {
        inbox.take(wait).map(|arrived| arrived.data.read().unwrap())
    }

    const NAME: EventName = EventName::literal("Approval");

    // R1:EVT-10, SKIP-9, SMS-11
    #[test]
    fn events_are_kept_until_awaited_and_served_first_in_first_out() {
        let mut inbox = Inbox::default();
        inbox.arrive(&NAME, data(1));
        inbox.arrive(&"approval".into(), data(2));
        let (first, second) = (inbox.wait(NAME), inbox.wait(NAME));
        assert_eq!(taken(&mut inbox, second), Some(2));
        assert_eq!(taken(&mut inbox, first), Some(1));
        assert!(inbox.mailboxes.is_empty());
    }

    #[test]
    fn a_wait_dropped_before_it_was_observed_gives_its_event_back_to_its_place() {
        let mut inbox = Inbox::default();
        let dropped = inbox.wait(NAME);
        inbox.arrive(&NAME, data(1));
        inbox.arrive(&NAME, data(2));
        inbox.withdraw(dropped);
        let (first, second) = (inbox.wait(NAME), inbox.wait(NAME));
        assert_eq!((taken(&mut inbox, first), taken(&mut inbox, second)), (Some(1), Some(2)));
    }

    #[test]
    fn an_event_given_back_goes_to_the_next_wait() {
        let mut inbox = Inbox::default();
        let (dropped, waiting) = (inbox.wait(NAME), inbox.wait(NAME));
        inbox.arrive(&NAME, data(1));
        *inbox.waker_of(waiting).unwrap() = Some(Waker::noop().clone());
        assert!(inbox.withdraw(dropped).wake.is_some());
        assert_eq!(taken(&mut inbox, waiting), Some(1));
    }

    #[test]
    fn a_withdrawn_wait_swallows_nothing() {
        let mut inbox = Inbox::default();
        let dropped = inbox.wait(NAME);
        inbox.withdraw(dropped);
        let waiting = inbox.wait(NAME);
        inbox.arrive(&NAME, data(1));
        assert_eq!(taken(&mut inbox, waiting), Some(1));
    }
}
