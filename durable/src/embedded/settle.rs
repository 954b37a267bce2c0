//! How work comes back to the queue other than by a checkpoint.
//!
//! Pure, like the queue itself.

use super::{
    queue::{Delivered, Head, Held, Phase, Queue, WaitingActivity},
    rows::Key,
    store::{Arrival, Sent},
    timers::Due,
};
use crate::{
    history::{EventKind, HistoryEvent, TaskMessage},
    model::Timestamp,
    provider::{ActivityWorkItem, OrchestrationWorkItem},
};

/// Whether giving back an item counts as a try of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Try {
    Counted,
    /// The store failed, not whoever had the item: it must not count as poison for that.
    NotCounted,
}

impl Head {
    /// Whether `delivered` must not wait until the instance could go on: perhaps it never can.
    pub(super) fn is_ended_by(&self, delivered: &Delivered) -> bool {
        let TaskMessage { execution, event, .. } = &delivered.message;
        matches!(event.kind, EventKind::ExecutionTerminated { .. })
            && execution.as_ref().is_none_or(|execution| *execution == self.execution)
    }
}

impl Queue {
    /// Gives an item back, to be handed out again at `at`, or at once.
    pub(super) fn give_back(
        &mut self,
        item: OrchestrationWorkItem,
        held: Held,
        counted: Try,
        at: Option<Timestamp>,
    ) {
        let Some(head) = self.heads.get_mut(&held.key) else { return };
        let given = item.messages.into_iter().zip(held.rows);
        // Only by what came meanwhile: to what was handed out, the delay is the answer.
        let is_to_end = head.inbox.iter().any(|delivered| head.is_ended_by(delivered));
        let mut inbox: Vec<_> = given.map(|(message, row)| Delivered { message, row }).collect();
        inbox.append(&mut head.inbox);
        head.inbox = inbox;
        if counted == Try::NotCounted {
            head.attempt = head.attempt.saturating_sub(1);
        }
        match at {
            Some(at) if !is_to_end => self.delay(held.key, at),
            _ => self.rest(held.key),
        }
    }

    /// Lets an instance be handed out that had to wait.
    pub(super) fn end_delay(&mut self, key: Key) {
        self.timers.cancel_delay(key);
        self.rest(key);
    }

    /// Delivers what an activity returned. Its instance or execution may have gone meanwhile.
    pub(super) fn complete(&mut self, item: ActivityWorkItem, result: HistoryEvent, now: Timestamp) {
        let found = self.head_of(&item.instance);
        let Some(key) = found.filter(|(_, head)| head.execution == item.execution).map(|(key, _)| key) else {
            return;
        };
        let message = TaskMessage {
            instance: item.instance,
            execution: Some(item.execution),
            event: result,
            visible_at: None,
        };
        self.deliver(key, Delivered { message, row: None }, now);
    }

    /// Gives an activity back, to be handed out again at `at`, or at once.
    pub(super) fn give_back_activity(&mut self, item: ActivityWorkItem, at: Option<Timestamp>) {
        let ActivityWorkItem { instance, execution, scheduled, attempt, .. } = item;
        let activity = WaitingActivity { instance, execution, scheduled, attempt };
        match at {
            Some(at) => self.timers.add(at, Due::Activity(Box::new(activity))),
            None => self.add_activity(activity),
        }
    }

    /// Takes in what another process wrote. What is known already is left as it is.
    pub(super) fn take_in(&mut self, arrival: Arrival, now: Timestamp) {
        match arrival {
            Arrival::Instance { head, .. } if self.heads.contains_key(&head.key) => {}
            Arrival::Instance { head, .. } if head.sequence > 0 => self.add_instance(head),
            Arrival::Instance { head, started } => self.add_start(head, started, now),
            Arrival::Message { key, row, message } => {
                self.deliver(key, Delivered { message, row: Some(row) }, now);
            }
        }
    }

    /// Takes in a message that has been stored.
    pub(super) fn take_sent(&mut self, message: TaskMessage, sent: Sent, now: Timestamp) {
        let added = match sent {
            Sent::Begun(accepted) => return self.add_start(accepted.head, accepted.started, now),
            Sent::Kept(added) => added,
            Sent::Entity(accepted, added) => {
                self.add_start(accepted.head, accepted.started, now);
                added
            }
            Sent::Reopened(head, added) => {
                self.add_instance(*head);
                added
            }
        };
        self.deliver(added.key, Delivered { message, row: Some(added.row) }, now);
    }

    /// Forgets the durable timers of an execution that is over; messages to the instance stay.
    pub(super) fn forget_own_timers(&mut self, key: Key) {
        for due in self.timers.remove_all(key) {
            if let Due::Message { key, delivered } = due {
                let at = delivered.message.visible_at.unwrap_or(Timestamp::UNIX_EPOCH);
                self.timers.add(at, Due::Message { key, delivered });
            }
        }
    }

    /// Forgets an instance that has ended, with everything that was still to come.
    pub(super) fn remove_instance(&mut self, key: Key) {
        let Some(head) = self.heads.remove(&key) else { return };
        self.keys.remove(&head.id);
        self.leftovers.extend(head.inbox.iter().filter_map(|delivered| delivered.row));
        self.forget_timers(key);
    }

    /// Forgets all timers of an instance and all its messages that are not visible yet.
    pub(super) fn forget_timers(&mut self, key: Key) {
        for due in self.timers.remove_all(key) {
            if let Due::Message { delivered, .. } = due {
                self.leftovers.extend(delivered.row);
            }
        }
    }

    /// The stored starts that have reached a live instance, and that nobody has taken.
    pub(super) fn starts_for(&self, key: Key) -> Vec<TaskMessage> {
        let inbox = self.heads.get(&key).map(|head| head.inbox.as_slice()).unwrap_or_default();
        let is_start = |delivered: &&Delivered| {
            delivered.row.is_some() && matches!(delivered.message.event.kind, EventKind::ExecutionStarted(_))
        };
        inbox.iter().filter(is_start).map(|delivered| delivered.message.clone()).collect()
    }

    /// Has the writer told at `at` that an instance is kept no longer, if it is not told before.
    pub(super) fn expect_purge(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.timers.add_purge(at);
        }
    }

    /// The results of activities that no checkpoint has consumed: they are stored nowhere.
    pub(super) fn loose_results(&mut self) -> Vec<TaskMessage> {
        let is_result = |delivered: &Delivered| {
            delivered.row.is_none()
                && matches!(
                    delivered.message.event.kind,
                    EventKind::TaskCompleted { .. } | EventKind::TaskFailed { .. }
                )
        };
        let inboxes = self.heads.values_mut().flat_map(|head| head.inbox.drain(..));
        inboxes.filter(is_result).map(|delivered| delivered.message).collect()
    }

    /// Whether the hub can be left to others: nothing is out that could still be settled.
    pub(super) fn may_be_released(&self) -> bool {
        self.phase == Phase::Ending && self.is_settled()
    }
}
