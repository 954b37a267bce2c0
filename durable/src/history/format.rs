//! How events are written down.
//!
//! One checkpoint's events are one JSON array; an event is `[id, microseconds, kind]`, where the
//! kind is the event's name, or an object with that name as its only key. Payloads stand in it as
//! they are. A reader ignores fields it does not know and refuses events it does not know: an
//! event left out would change what replay sees.

use serde::{Deserialize, Serialize};

use super::{EventId, EventKind, HistoryEvent};
use crate::model::Timestamp;

/// The number of this format, which stores keep beside the data. Raised with every change that an
/// older reader would misunderstand.
pub const VERSION: u32 = 1;

/// A text that is not a list of history events.
#[derive(Debug, thiserror::Error)]
#[error(
    "the stored events cannot be read; they are damaged, or were written by a newer version of `durable`"
)]
pub struct UnreadableEvents(#[source] serde_json::Error);

#[derive(Serialize)]
struct Written<'a>(EventId, i64, &'a EventKind);

#[derive(Deserialize)]
struct Read(EventId, i64, EventKind);

/// Writes the events of one checkpoint.
///
/// # Errors
/// None in practice: everything an event holds is JSON already, or text.
pub fn encode(events: &[HistoryEvent]) -> Result<Vec<u8>, UnreadableEvents> {
    let written: Vec<_> = events
        .iter()
        .map(|event| Written(event.id, event.timestamp.as_microseconds(), &event.kind))
        .collect();
    serde_json::to_vec(&written).map_err(UnreadableEvents)
}

/// Reads the events of one checkpoint.
///
/// # Errors
/// When `text` is not what [`encode`] writes, or holds an event of an unknown name.
pub fn decode(text: &[u8]) -> Result<Vec<HistoryEvent>, UnreadableEvents> {
    let events: Vec<Read> = serde_json::from_slice(text).map_err(UnreadableEvents)?;
    Ok(events
        .into_iter()
        .map(|Read(id, microseconds, kind)| HistoryEvent {
            id,
            timestamp: Timestamp::from_microseconds(microseconds),
            kind,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;

    fn at(microseconds: i64) -> Timestamp {
        Timestamp::from_microseconds(microseconds)
    }

    #[test]
    fn events_are_read_back_as_they_were_written() {
        let events = vec![
            HistoryEvent::new(at(1), EventKind::OrchestratorStarted),
            HistoryEvent::action(
                EventId::FIRST,
                at(2),
                EventKind::TaskScheduled {
                    name: "greet".into(),
                    version: None,
                    input: Payload::from_json(r#"{"a": 90.0}"#).unwrap(),
                },
            ),
            HistoryEvent::new(at(3), EventKind::OrchestratorCompleted { digest: Some(u64::MAX) }),
        ];
        let text = encode(&events).unwrap();
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            r#"[[-1,1,"OrchestratorStarted"],[0,2,{"TaskScheduled":{"name":"greet","input":{"a": 90.0}}}],[-1,3,{"OrchestratorCompleted":{"digest":18446744073709551615}}]]"#
        );
        assert_eq!(decode(&text).unwrap(), events);
    }

    #[test]
    fn an_unknown_field_is_ignored_and_an_unknown_event_refused() {
        let with_field = br#"[[-1,3,{"OrchestratorCompleted":{"digest":1,"colour":"red"}}]]"#;
        assert_eq!(decode(with_field).unwrap().len(), 1);
        assert!(decode(br#"[[-1,3,"OrchestratorSlept"]]"#).is_err());
        assert!(decode(b"[[-1,3").is_err());
    }
}
