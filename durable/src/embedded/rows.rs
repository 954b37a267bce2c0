//! Values as they are stored, and back.
//!
//! The only file of the provider that knows how a value looks in a column. Must not know
//! connections or transactions. Begin with [`StoredHead`].

use std::{borrow::Cow, time::Duration};

use super::error::Trouble;
use crate::{
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, TaskMessage, format},
    model::{ExecutionId, Failure, InstanceId, InstanceState, Payload, RuntimeStatus, Timestamp},
};

/// The number of an instance in its hub.
pub(super) type Key = i64;
/// The number of a stored message or of an episode's row in `history`.
pub(super) type Row = i64;
/// The number of an orchestrator's name in its hub.
pub(super) type NameNumber = u32;

/// A live instance as stored, without its history and its input.
#[derive(Debug, Clone)]
pub(super) struct StoredHead {
    pub(super) key: Key,
    pub(super) id: InstanceId,
    pub(super) execution: ExecutionId,
    pub(super) status: RuntimeStatus,
    pub(super) generation: u32,
    /// The newest row of the history.
    pub(super) last: Option<Row>,
    /// How many rows the history has.
    pub(super) sequence: u32,
    /// How many activities and timers are open, cancelled timers left out.
    pub(super) open: u32,
    pub(super) name: NameNumber,
}

/// One episode as stored.
#[derive(Debug, Clone)]
pub(super) struct StoredEpisode {
    pub(super) previous: Option<Row>,
    pub(super) instance: Key,
    pub(super) sequence: u32,
    pub(super) events: Vec<u8>,
    pub(super) cancelled: Option<Vec<u8>>,
}

/// A message as stored.
#[derive(Debug, Clone)]
pub(super) struct StoredMessage {
    pub(super) row: Row,
    pub(super) instance: Key,
    pub(super) generation: u32,
    pub(super) execution: Option<ExecutionId>,
    pub(super) visible_at: Option<Timestamp>,
    pub(super) event: Vec<u8>,
}

/// What the row of a taken id says.
pub(super) struct Taken {
    pub(super) key: Key,
    pub(super) status: RuntimeStatus,
    pub(super) generation: u32,
    pub(super) last: Option<Row>,
    pub(super) name: NameNumber,
    pub(super) created: Timestamp,
}

impl Taken {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let status = status_of(row.get(1)?);
        Ok(Self {
            key: row.get(0)?,
            status: status
                .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(1, row.get(1).unwrap_or(-1)))?,
            generation: row.get(2)?,
            last: row.get(3)?,
            name: row.get(4)?,
            created: Timestamp::from_microseconds(row.get(5)?),
        })
    }

    pub(super) fn is_live(&self) -> bool {
        !self.status.is_terminal()
    }
}

/// What changes of an instance while it lives.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) status: RuntimeStatus,
    pub(super) execution: ExecutionId,
    pub(super) generation: u32,
    pub(super) updated: Timestamp,
    pub(super) created: Timestamp,
    pub(super) custom_status: Option<Payload>,
    pub(super) output: Option<Payload>,
    pub(super) failure: Option<Failure>,
}

impl StoredMessage {
    /// The message, addressed to `instance`.
    pub(super) fn read(&self, instance: &InstanceId) -> Result<TaskMessage, Trouble> {
        Ok(TaskMessage {
            instance: instance.clone(),
            execution: self.execution.clone(),
            event: only_event(&self.event)?,
            visible_at: self.visible_at,
        })
    }
}

/// What a query sees: how the execution was started, and where it stands.
pub(super) fn instance_state(started: &HistoryEvent, standing: Standing) -> Result<InstanceState, Trouble> {
    let begun = started_of(started)?;
    let mut state = InstanceState::pending(
        begun.instance.clone(),
        standing.execution,
        begun.name.clone(),
        begun.input.clone(),
        standing.created,
    );
    state.version.clone_from(&begun.version);
    state.tags.clone_from(&begun.tags);
    state.scheduled_start = begun.scheduled_start;
    state.generation = standing.generation;
    state.runtime_status = standing.status;
    state.last_updated_time = standing.updated;
    state.custom_status = standing.custom_status.unwrap_or_default();
    state.output = standing.output.unwrap_or_default();
    state.failure = standing.failure;
    Ok(state)
}

/// How an execution began, from the event that says so.
pub(super) fn started_of(event: &HistoryEvent) -> Result<&ExecutionStarted, Trouble> {
    match &event.kind {
        EventKind::ExecutionStarted(started) => Ok(started),
        other => Err(Trouble::corrupt(format!("`{}` stands where `ExecutionStarted` should", other.name()))),
    }
}

/// Writes one event.
pub(super) fn event_text(event: &HistoryEvent) -> Result<Vec<u8>, Trouble> {
    Ok(format::encode(std::slice::from_ref(event))?)
}

/// Reads what [`event_text`] wrote.
pub(super) fn only_event(text: &[u8]) -> Result<HistoryEvent, Trouble> {
    let mut events = format::decode(text)?;
    match (events.pop(), events.is_empty()) {
        (Some(event), true) => Ok(event),
        _ => Err(Trouble::corrupt("there is not exactly one event")),
    }
}

/// The number of a status in the file.
pub(super) fn status_number(status: RuntimeStatus) -> i64 {
    match status {
        RuntimeStatus::Pending => 0,
        RuntimeStatus::Running => 1,
        RuntimeStatus::Suspended => 2,
        RuntimeStatus::Completed => 3,
        RuntimeStatus::Failed => 4,
        RuntimeStatus::Terminated => 5,
    }
}

/// The number of the shelf on which a query finds an instance: see `tables.rs`.
pub(super) fn shelf_number(status: RuntimeStatus) -> i64 {
    match status {
        RuntimeStatus::Pending | RuntimeStatus::Running => 0,
        RuntimeStatus::Suspended
        | RuntimeStatus::Completed
        | RuntimeStatus::Failed
        | RuntimeStatus::Terminated => status_number(status),
    }
}

/// The name under which an instance is listed. An entity's cannot be taken for an orchestrator's.
pub(super) fn listed_name(started: &ExecutionStarted) -> Cow<'_, str> {
    let name: &str = started.name.as_ref();
    if started.instance.is_entity() { format!("@{name}").into() } else { name.into() }
}

/// Writes for how long an instance is kept: microseconds, few enough to be added to any time.
pub(super) fn retention_number(age: Duration) -> i64 {
    i64::try_from(age.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 16)
}

/// Reads what [`status_number`] wrote.
pub(super) fn status_of(number: i64) -> Result<RuntimeStatus, Trouble> {
    RuntimeStatus::ALL
        .into_iter()
        .find(|status| status_number(*status) == number)
        .ok_or_else(|| Trouble::corrupt(format!("there is no status {number}")))
}

/// Writes the ids of cancelled timers; nothing when there are none.
pub(super) fn cancelled_text(timers: &[EventId]) -> Option<Vec<u8>> {
    let bytes = || timers.iter().flat_map(|timer| timer.as_i32().to_le_bytes()).collect();
    (!timers.is_empty()).then(bytes)
}

/// Reads what [`cancelled_text`] wrote.
pub(super) fn cancelled_of(bytes: Option<&[u8]>) -> Result<Vec<EventId>, Trouble> {
    let bytes = bytes.unwrap_or_default();
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Trouble::corrupt("a list of cancelled timers is cut off"));
    }
    Ok(numbers.iter().map(|number| EventId::from_i32(i32::from_le_bytes(*number))).collect())
}

/// Reads a stored JSON text.
pub(super) fn payload_of(text: Option<String>) -> Result<Option<Payload>, Trouble> {
    let read = |text| {
        Payload::from_json(text)
            .map_err(|error| Trouble::corrupt("a stored value is not JSON").caused_by(error))
    };
    text.map(read).transpose()
}

/// Writes a failure as JSON.
pub(super) fn failure_text(failure: &Failure) -> Result<Payload, Trouble> {
    Payload::of(failure)
        .map_err(|error| Trouble::new(crate::provider::ProviderErrorKind::Other).caused_by(error))
}

/// Reads what [`failure_text`] wrote.
pub(super) fn failure_of(text: Option<String>) -> Result<Option<Failure>, Trouble> {
    let read = |payload: Payload| {
        payload.read().map_err(|error| Trouble::corrupt("a stored failure is unreadable").caused_by(error))
    };
    payload_of(text)?.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_and_an_unknown_number_is_damage() {
        for status in RuntimeStatus::ALL {
            assert_eq!(status_of(status_number(status)).unwrap(), status);
        }
        assert!(status_of(6).is_err());
    }

    #[test]
    fn cancelled_timers_are_read_back_and_a_cut_list_is_damage() {
        let timers = [EventId::from_i32(7), EventId::from_i32(i32::MAX)];
        let bytes = cancelled_text(&timers).unwrap();
        assert_eq!(cancelled_of(Some(&bytes)).unwrap(), timers);
        assert!(cancelled_of(Some(&bytes[1..])).is_err());
        assert_eq!(cancelled_text(&[]), None);
        assert_eq!(cancelled_of(None).unwrap(), []);
    }
}
