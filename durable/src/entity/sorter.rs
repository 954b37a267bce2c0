//! In order and exactly once, over a store that doubles messages and lets them overtake each other.
//!
//! The embedded store needs none of this. A queue of a cloud store does: each message to an entity then
//! carries its own time, later than its predecessor's, and the predecessor's. A count would do the
//! same, but could never be forgotten; times older than a window can, so the memory of both sides is
//! bounded by whom they spoke with lately. It is also what the reference does (R2:ENT-44).
//!
//! What arrives later than the window is delivered although it may be a double: losing it would be
//! worse. Must not know what the messages say. Begin with [`Sorter::send`] and [`Sorter::receive`].

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    history::{EntityRequest, Place},
    model::{ExecutionId, InstanceId, Timestamp},
};

/// How much later than due the memory is tidied, so that it is not done for every message.
const SLACK: Duration = Duration::from_secs(10);

/// The memory of one party: of an entity, or of an orchestration that only sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sorter {
    /// The place of the last message to each receiver.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sent: BTreeMap<InstanceId, Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send_horizon: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    received: BTreeMap<InstanceId, Vec<Sequence>>,
    /// Everything before it counts as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receive_horizon: Option<Timestamp>,
}

/// What came from one execution of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sequence {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    execution: Option<ExecutionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
    /// What came before its predecessor did, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    early: BTreeMap<Timestamp, EntityRequest>,
}

impl Sorter {
    /// The place of a new message to `receiver`, sent at `now`; to be kept with what is sent.
    ///
    /// An orchestration takes the time of its episode, so that a replay gives the same places.
    pub fn send(&mut self, receiver: &InstanceId, now: Timestamp, window: Duration) -> Place {
        if let Some(horizon) = passed(self.send_horizon, now, window) {
            self.send_horizon = Some(horizon);
            self.sent.retain(|_, last| *last >= horizon);
        }
        let after = self.sent.get(receiver).copied();
        let at = after.map_or(now, |last| now.max(last.saturating_add(Duration::from_micros(1))));
        self.sent.insert(receiver.clone(), at);
        Place { at, after }
    }

    /// What can be delivered once `request` has come, in order: nothing, when it is a double or early.
    pub fn receive(&mut self, request: EntityRequest, window: Duration) -> Vec<EntityRequest> {
        let (Some(place), Some(sender)) = (request.place, request.sender.clone()) else {
            return vec![request];
        };
        let mut delivered = self.tidy(place.at, window);
        if self.receive_horizon.is_some_and(|horizon| place.at < horizon) {
            delivered.push(request);
            return delivered;
        }
        let sequences = self.received.entry(sender.instance).or_default();
        let known = sequences.iter().position(|sequence| sequence.execution == sender.execution);
        let at = known.unwrap_or_else(|| {
            // Nothing more comes from an earlier execution; what it sent before is not to be overtaken.
            sequences.iter_mut().for_each(|earlier| delivered.extend(earlier.give_up_waiting()));
            sequences.push(Sequence { execution: sender.execution, ..Sequence::default() });
            sequences.len() - 1
        });
        let sequence = &mut sequences[at];
        if sequence.last.is_some_and(|last| place.at <= last) {
            return delivered;
        }
        sequence.early.insert(place.at, request);
        delivered.extend(sequence.ready(self.receive_horizon));
        delivered
    }

    /// How many messages wait for their predecessor.
    pub fn buffered(&self) -> usize {
        self.received.values().flatten().map(|sequence| sequence.early.len()).sum()
    }

    /// Whether it remembers nothing.
    pub fn is_unused(&self) -> bool {
        self.sent.is_empty() && self.received.is_empty()
    }

    /// Forgets what is older than the window, and delivers what waited for something older.
    fn tidy(&mut self, now: Timestamp, window: Duration) -> Vec<EntityRequest> {
        let Some(horizon) = passed(self.receive_horizon, now, window) else { return Vec::new() };
        self.receive_horizon = Some(horizon);
        let mut delivered = Vec::new();
        self.received.retain(|_, sequences| {
            sequences.retain_mut(|sequence| {
                sequence.last = sequence.last.filter(|last| *last >= horizon);
                delivered.extend(sequence.ready(Some(horizon)));
                sequence.last.is_some() || !sequence.early.is_empty()
            });
            !sequences.is_empty()
        });
        delivered
    }
}

impl Sequence {
    /// Takes out what has its predecessor.
    fn ready(&mut self, horizon: Option<Timestamp>) -> Vec<EntityRequest> {
        let mut ready = Vec::new();
        while let Some(first) = self.early.first_entry() {
            let after = first.get().place.and_then(|place| place.after);
            let is_next = after.is_none_or(|after| {
                horizon.is_some_and(|horizon| after < horizon) || self.last.is_some_and(|last| after <= last)
            });
            if !is_next {
                break;
            }
            self.last = Some(*first.key());
            ready.push(first.remove());
        }
        ready
    }

    fn give_up_waiting(&mut self) -> Vec<EntityRequest> {
        let early = std::mem::take(&mut self.early);
        self.last = early.last_key_value().map(|(at, _)| *at).or(self.last);
        early.into_values().collect()
    }
}

/// The new horizon, when the old one is out of date.
fn passed(horizon: Option<Timestamp>, now: Timestamp, window: Duration) -> Option<Timestamp> {
    let is_due = horizon.is_none_or(|horizon| horizon.saturating_add(window).saturating_add(SLACK) < now);
    let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    is_due.then(|| Timestamp::from_microseconds(now.as_microseconds().saturating_sub(window)))
}
