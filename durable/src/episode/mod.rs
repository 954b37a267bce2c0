//! An episode: new messages in, a checkpoint out. Pure.
//!
//! Decides which messages are history and which are late or double, and turns what the
//! orchestrator asked for into events and outgoing messages. Begin with [`run`].

mod answer;
mod apply;
mod control;
mod entity;
mod next;
mod rewind;

pub use control::{fail, terminate};
pub use entity::turn;
pub use next::Unhandled;
pub use rewind::rewind;

use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag},
    replay::Session,
};

/// Gives `messages` to a session that stands at the end of its history, and says what to save.
///
/// `now` is the time of the episode, `tag` the new checkpoint's name. When the execution ends to be
/// continued as new, `begin` makes the session of the next one, which takes part in the same episode and
/// is what `session` is afterwards.
///
/// # Errors
/// When `begin` has no session for the next execution: nothing has happened then, and the item is
/// for a worker that has the function.
pub fn run(
    session: &mut Session,
    messages: &[TaskMessage],
    now: Timestamp,
    tag: CheckpointTag,
    begin: &dyn Fn(&ExecutionStarted) -> Option<Session>,
) -> Result<Checkpoint, Unhandled> {
    session.begin_episode(now);
    let now = session.now();
    let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
    let mut left = apply::Left::default();
    let mut succession = next::Succession::new(begin);
    for message in messages {
        // Until it rests: the next execution may be done at once as well.
        while let Some(next) = apply::leave(session, &mut left, now) {
            events = succession.follow(session, next, now)?;
        }
        if is_news(session, message) {
            session.apply(&message.event);
            succession.hear();
            events.push(message.event.clone());
        } else {
            left.messages.extend(answer::refusal(session.started(), message, now));
        }
    }
    while let Some(next) = apply::leave(session, &mut left, now) {
        events = succession.follow(session, next, now)?;
    }
    Ok(apply::checkpoint(session, events, left, now, tag))
}

/// Whether a message becomes history: it is for this execution, and answers what is still open.
fn is_news(session: &Session, message: &TaskMessage) -> bool {
    let started = session.started();
    let for_this_execution =
        message.execution.as_ref().is_none_or(|execution| *execution == started.execution);
    let is_news = for_this_execution && session.expects(&message.event);
    if !is_news {
        let (instance, event) = (&started.instance, message.event.kind.name());
        tracing::debug!(%instance, event, for_this_execution, "dropped a late or double message");
    }
    is_news
}

/// Where an instance stands that has not ended.
fn live_status(is_suspended: bool) -> RuntimeStatus {
    if is_suspended { RuntimeStatus::Suspended } else { RuntimeStatus::Running }
}
