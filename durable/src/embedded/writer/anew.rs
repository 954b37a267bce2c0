//! Starts that have reached an instance which ends without having taken them.
//!
//! Sent a moment later, each would have begun the instance anew; and whoever sent it waits for the answer. So
//! it begins with the transaction in which the instance ends. Begin with [`Writer::begin_anew`].

use super::Writer;
use crate::{
    embedded::{
        checkpoint::Settlement,
        error::Trouble,
        operation::{Anew, Outcome, Write},
        rows::Key,
        sending,
        store::{Sent, WrittenMessage},
    },
    history::{EventKind, HistoryEvent, TaskMessage},
    model::InstanceState,
    provider::ProviderErrorKind,
};

/// The starts among what a transaction has sent so far, with the live instances that are to get them.
pub(super) type Starts = Vec<(Key, TaskMessage)>;

impl Writer {
    /// Lets the instance of `settlement`, if that ends it, begin with what has reached it in vain.
    pub(super) fn begin_anew(
        &mut self,
        settlement: &Settlement,
        new: &Starts,
    ) -> Result<Option<Box<Anew>>, Trouble> {
        if !settlement.has_ended() {
            return Ok(None);
        }
        let key = settlement.held.key;
        let mut starts = self.shared.update(|queue| queue.starts_for(key));
        starts.extend(new.iter().filter(|(to, _)| *to == key).map(|(_, start)| start.clone()));
        if starts.is_empty() {
            return Ok(None);
        }
        let (ended, before) = self.standing(settlement)?;
        let mut begun = Vec::with_capacity(starts.len());
        for message in starts.into_iter().filter(|message| !is_own(message, before.as_ref())) {
            let sent = sending::deliver(&mut *self.store, &WrittenMessage::new(message.clone())?)?;
            begun.push((message, sent));
        }
        Ok(Some(Box::new(Anew { ended, begun })))
    }

    /// How the instance of `settlement` stands now, and how it began; nothing when that is damaged, which
    /// must not keep it from ending.
    fn standing(
        &mut self,
        settlement: &Settlement,
    ) -> Result<(Option<InstanceState>, Option<HistoryEvent>), Trouble> {
        let started = match self.store.started(settlement.held.key) {
            Err(trouble) if matches!(trouble.kind, ProviderErrorKind::Corrupt(_)) => return Ok((None, None)),
            started => started?,
        };
        Ok((self.store.state(&settlement.item.instance)?, Some(started)))
    }
}

/// Notes the starts that `outcome` has kept for live instances.
pub(super) fn note(starts: &mut Starts, write: &Write, outcome: &Outcome) {
    let mut note = |message: &TaskMessage, sent: &Sent| {
        if let (Sent::Kept(added), EventKind::ExecutionStarted(_)) = (sent, &message.event.kind) {
            starts.push((added.key, message.clone()));
        }
    };
    match (write, outcome) {
        (Write::Send { message, .. }, Outcome::Sent(sent)) => note(&message.message, sent),
        (Write::Checkpoint { settlement, .. }, Outcome::Saved { sent, .. }) => {
            for (message, sent) in settlement.outgoing().iter().zip(sent) {
                sent.iter().for_each(|sent| note(&message.message, sent));
            }
        }
        _ => {}
    }
}

/// Whether the start is that of the instance itself, sent once more.
fn is_own(start: &TaskMessage, before: Option<&HistoryEvent>) -> bool {
    match (&start.event.kind, before.map(|event| &event.kind)) {
        (EventKind::ExecutionStarted(start), Some(EventKind::ExecutionStarted(before))) => {
            start.is_same_call(before)
        }
        _ => false,
    }
}
