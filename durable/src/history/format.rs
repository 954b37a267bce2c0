//! How events are written down.
//!
//! One checkpoint's events are one text: eight hexadecimal digits, the CRC-32 of what follows, then
//! one JSON array; an event is `[id, microseconds, kind]`, where the kind is the event's name, or an
//! object with that name as its only key. Payloads stand in it as they are. A flipped bit in a
//! history would otherwise be replayed as if it had happened. A reader ignores fields it does not know and refuses events it does not know: an
//! event left out would change what replay sees.

use serde::{Deserialize, Serialize};

use super::{EventId, EventKind, HistoryEvent};
use crate::model::Timestamp;

/// The number of this format, which stores keep beside the data. Raised with every change that an
/// older reader would misunderstand.
pub const VERSION: u32 = 1;

/// A text that is not what [`encode`] wrote.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvents {
    /// Some of its bytes are not the ones that were written.
    #[error("the stored events are damaged: their check value does not fit")]
    Damaged,
    /// It is whole, and not a list of events.
    #[error("the stored events cannot be read; they were written by a newer version of `durable`")]
    Unknown(#[source] serde_json::Error),
}

/// How many bytes the check value takes.
const CHECK: usize = 8;

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
    let mut text = vec![b'0'; CHECK];
    serde_json::to_writer(&mut text, &written).map_err(UnreadableEvents::Unknown)?;
    let check = check_of(&text[CHECK..]);
    text[..CHECK].copy_from_slice(&check);
    Ok(text)
}

/// Reads the events of one checkpoint.
///
/// # Errors
/// `Damaged` when a byte is not the one [`encode`] wrote, `Unknown` when it holds an event of an
/// unknown name.
pub fn decode(text: &[u8]) -> Result<Vec<HistoryEvent>, UnreadableEvents> {
    let (check, json) = text.split_first_chunk::<CHECK>().ok_or(UnreadableEvents::Damaged)?;
    if *check != check_of(json) {
        return Err(UnreadableEvents::Damaged);
    }
    let events: Vec<Read> = serde_json::from_slice(json).map_err(UnreadableEvents::Unknown)?;
    Ok(events
        .into_iter()
        .map(|Read(id, microseconds, kind)| HistoryEvent {
            id,
            timestamp: Timestamp::from_microseconds(microseconds),
            kind,
        })
        .collect())
}

fn check_of(json: &[u8]) -> [u8; CHECK] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let sum = crc32fast::hash(json);
    std::array::from_fn(|place| DIGITS[(sum >> (28 - 4 * place)) as usize & 0xf])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::Rest,
        model::{Attempt, Payload},
    };

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
                    attempt: Attempt::ONLY,
                },
            ),
            HistoryEvent::new(
                at(3),
                EventKind::OrchestratorCompleted { digest: Some(u64::MAX), rest: Rest::default() },
            ),
        ];
        let text = encode(&events).unwrap();
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            r#"d1dac377[[-1,1,"OrchestratorStarted"],[0,2,{"TaskScheduled":{"name":"greet","input":{"a": 90.0}}}],[-1,3,{"OrchestratorCompleted":{"digest":18446744073709551615}}]]"#
        );
        assert_eq!(decode(&text).unwrap(), events);
    }

    fn with_check(json: &str) -> Vec<u8> {
        [&check_of(json.as_bytes()), json.as_bytes()].concat()
    }

    #[test]
    fn an_unknown_field_is_ignored_and_an_unknown_event_refused() {
        let with_field = with_check(r#"[[-1,3,{"OrchestratorCompleted":{"digest":1,"colour":"red"}}]]"#);
        assert_eq!(decode(&with_field).unwrap().len(), 1);
        let unknown = decode(&with_check(r#"[[-1,3,"OrchestratorSlept"]]"#));
        assert!(matches!(unknown, Err(UnreadableEvents::Unknown(_))), "{unknown:?}");
    }

    #[test]
    fn no_flipped_bit_and_no_cut_goes_unnoticed() {
        let text = encode(&[HistoryEvent::new(at(1), EventKind::OrchestratorStarted)]).unwrap();
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&damaged), Err(UnreadableEvents::Damaged)), "bit {bit}");
        }
        for length in 0..text.len() {
            assert!(matches!(decode(&text[..length]), Err(UnreadableEvents::Damaged)), "{length} bytes");
        }
    }
}
