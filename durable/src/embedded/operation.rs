//! What the writer is asked to do, and what follows from it.
//!
//! Must not know the store. Begin with [`Operation`].

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    checkpoint::Settlement,
    error::Trouble,
    place::Place,
    queue::Queue,
    settle::Try,
    shared::Shared,
    store::{Accepted, Arrival, Kept, Sent, WrittenMessage},
};
use crate::{
    history::TaskMessage,
    model::{InstanceId, InstanceState, Timestamp},
    provider::{NewInstance, ProviderError, ProviderErrorKind},
};

/// How long an item rests whose checkpoint failed: a full disk does not become free at once.
const REST: Duration = Duration::from_secs(1);

/// Where the outcome of an operation goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, ProviderError>>;

/// Something for the writer to do.
#[derive(Debug)]
pub(super) enum Operation {
    Write(Write),
    BeginWork {
        reply: Reply<Begun>,
        /// For who is given the work and does not take it.
        writer: Sender<Self>,
    },
    Purge(InstanceId, Reply<u64>),
    PurgeFound(Purge),
    /// Remove what is kept no longer. Counted as a write until it is done.
    PurgeDue,
    CreateHub(Reply<()>),
    DeleteHub(Reply<()>),
    /// Say when everything that was settled is durable; leave the hub to others if it is to be left.
    Flush(Reply<()>),
    /// Look again at what there is to do.
    Wake,
    Stop,
}

impl Operation {
    /// Whether it is about the hub as a whole: what was asked for before must be done by then.
    pub(super) fn concerns_the_hub(&self) -> bool {
        match self {
            Self::BeginWork { .. }
            | Self::CreateHub(_)
            | Self::DeleteHub(_)
            | Self::Flush(_)
            | Self::Stop => true,
            Self::Write(_) | Self::Purge(..) | Self::PurgeFound(_) | Self::PurgeDue | Self::Wake => false,
        }
    }
}

/// Ended instances to remove, if they still stand as they were found.
#[derive(Debug)]
pub(super) struct Purge {
    pub(super) found: VecDeque<Place>,
    /// How many of them have been removed.
    pub(super) removed: u64,
    pub(super) reply: Reply<u64>,
}

/// Work that has begun. Ends at once when whoever asked for it does not wait any more: nobody else
/// would ever end it.
pub(super) struct Begun {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Sender<Operation>,
    pub(super) is_taken: bool,
}

impl Begun {
    pub(super) fn take(mut self) {
        self.is_taken = true;
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.is_taken {
            self.shared.update(Queue::end_handing_out);
            self.shared.wake_fetches();
            // A writer that has stopped has nothing to give back.
            let _ = self.writer.send(Operation::Wake);
        }
    }
}

/// Something to be written in the next transaction.
#[derive(Debug)]
pub(super) enum Write {
    Create { new: NewInstance, reply: Reply<InstanceState> },
    Send { message: WrittenMessage, reply: Reply<()> },
    Checkpoint { settlement: Box<Settlement>, reply: Reply<()> },
}

/// What a write did in the store.
#[derive(Debug)]
pub(super) enum Outcome {
    Accepted(Box<Accepted>),
    Sent(Sent),
    /// Of the outgoing messages, those that found nobody are `None`.
    Saved {
        kept: Kept,
        sent: Vec<Option<Sent>>,
        /// Whether the instance has been removed.
        is_forgotten: bool,
        anew: Option<Box<Anew>>,
    },
}

/// An instance that has begun anew in the transaction in which it ended.
#[derive(Debug)]
pub(super) struct Anew {
    /// How it ended, as far as that can be read.
    pub(super) ended: Option<InstanceState>,
    /// With which starts, and what became of each.
    pub(super) begun: Vec<(TaskMessage, Sent)>,
}

/// What a transaction did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) arrivals: Vec<Arrival>,
    pub(super) outcomes: Vec<Result<Outcome, Trouble>>,
}

/// An outcome together with whom to tell.
pub(super) enum Answer {
    State(Reply<InstanceState>, Result<InstanceState, ProviderError>),
    Nothing(Reply<()>, Result<(), ProviderError>),
}

impl Answer {
    /// Tells them.
    pub(super) fn send(self) {
        match self {
            Self::State(reply, outcome) => answer(reply, outcome),
            Self::Nothing(reply, outcome) => answer(reply, outcome),
        }
    }
}

/// Gives the outcome of an operation to whoever asked for it.
pub(super) fn answer<T>(reply: Reply<T>, outcome: Result<T, ProviderError>) {
    // Whoever stopped waiting does not need the answer.
    let _ = reply.send(outcome);
}

/// Whether the store changed nothing because it was asked for something impossible.
pub(super) fn is_refusal(kind: &ProviderErrorKind) -> bool {
    matches!(
        kind,
        ProviderErrorKind::NotFound
            | ProviderErrorKind::Ended
            | ProviderErrorKind::NotEnded
            | ProviderErrorKind::AlreadyExists
    )
}

/// The circumstances in which the queue follows a write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follow {
    /// Whether this process works the hub; if not, there is no queue to follow.
    pub(super) works: bool,
    pub(super) now: Timestamp,
}

impl Write {
    pub(super) fn is_checkpoint(&self) -> bool {
        matches!(self, Self::Checkpoint { .. })
    }

    /// Lets the queue follow what the write did, or did not do.
    pub(super) fn follow(
        self,
        queue: &mut Queue,
        Follow { works, now }: Follow,
        outcome: Result<Outcome, Trouble>,
    ) -> Answer {
        match (self, outcome) {
            (Self::Create { reply, .. }, Ok(Outcome::Accepted(accepted))) => {
                let Accepted { head, started, state } = *accepted;
                if works {
                    queue.add_start(head, started, now);
                }
                Answer::State(reply, Ok(state))
            }
            (Self::Create { new, reply }, outcome) => {
                Answer::State(reply, Err(why(outcome).on("start", new.started.instance.as_str())))
            }
            (Self::Send { message, reply }, Ok(Outcome::Sent(sent))) => {
                if works {
                    queue.take_sent(message.message, sent, now);
                }
                Answer::Nothing(reply, Ok(()))
            }
            (Self::Send { message, reply }, outcome) => {
                let id = message.message.instance.as_str();
                Answer::Nothing(reply, Err(why(outcome).on("send a message to", id)))
            }
            (
                Self::Checkpoint { settlement, reply },
                Ok(Outcome::Saved { kept, sent, is_forgotten, anew }),
            ) => {
                settlement.apply(queue, kept, sent, is_forgotten, anew, now);
                Answer::Nothing(reply, Ok(()))
            }
            (Self::Checkpoint { settlement, reply }, outcome) => {
                let Settlement { item, held, .. } = *settlement;
                let error = why(outcome).on("checkpoint", item.instance.as_str());
                queue.give_back(item, held, Try::NotCounted, Some(now.saturating_add(REST)));
                Answer::Nothing(reply, Err(error))
            }
        }
    }
}

fn why(outcome: Result<Outcome, Trouble>) -> Trouble {
    outcome.err().unwrap_or_else(|| Trouble::new(ProviderErrorKind::Other))
}
