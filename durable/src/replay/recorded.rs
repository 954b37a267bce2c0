//! Running a session against its past, and comparing what it does with what it did.
//!
//! Decides what a difference means; `matching.rs` finds it. Begin with [`Session::replay`].

use tracing::Dispatch;

use super::{
    Outcome, Session,
    matching::{self, Verdict},
    mismatch,
    session::Root,
};
use crate::{
    entity::Sections,
    history::{EventKind, HistoryEvent},
    model::{Failure, FailureKind},
};

impl Session {
    /// Runs a recorded history. User code runs in it as it did before, with its logs silenced; what
    /// it asks for is compared with what was recorded. A difference ends the execution as failed.
    pub fn replay(&mut self, history: &[HistoryEvent]) {
        if history.is_empty() {
            return;
        }
        self.shared.journal().is_replaying = true;
        if self.shared.options.log_replays {
            self.replay_events(history);
        } else {
            tracing::dispatcher::with_default(&Dispatch::none(), || self.replay_events(history));
        }
        self.shared.journal().is_replaying = false;
        if let Some(difference) = self.other_input.take() {
            let instance = &self.shared.started.instance;
            tracing::warn!(%instance, %difference, "replayed with another input than recorded");
        }
    }

    fn replay_events(&mut self, history: &[HistoryEvent]) {
        let mut recorded = Vec::new();
        for event in history {
            match &event.kind {
                EventKind::OrchestratorStarted => self.begin_episode(event.timestamp),
                EventKind::OrchestratorCompleted { digest, .. } => {
                    if let Err(failure) = self.match_episode(&recorded, *digest) {
                        // What is locked is what was asked for then, not what this code asks for.
                        self.shared.journal().sections = Sections::of(history);
                        return self.end(Outcome::Failed(failure));
                    }
                    recorded.clear();
                }
                kind if kind.is_message() => self.apply(event),
                _ => recorded.push(event),
            }
        }
    }

    /// Compares what an episode made with what it made before.
    fn match_episode(&mut self, recorded: &[&HistoryEvent], digest: Option<u64>) -> Result<(), Failure> {
        let instance = &self.shared.started.instance;
        let mut journal = self.shared.journal();
        let verdict = matching::compare(instance, recorded, &journal.made);
        journal.made.clear();
        journal.cancelled.clear();
        journal.custom_status = None;
        journal.untold_wait = journal.inbox.next_wait();
        match (verdict, self.outcome_of_the_engine()) {
            (Verdict::Other(_), Some(failure)) => Err(failure.clone()),
            (Verdict::Other(failure), None) => Err(failure),
            (Verdict::OtherInput(failure), _) if self.shared.options.verify => Err(failure),
            (Verdict::OtherInput(failure), _) => {
                self.other_input.get_or_insert(failure);
                Ok(())
            }
            (Verdict::Same, _) if digest.is_some_and(|recorded| recorded != journal.digest.value()) => {
                Err(mismatch::other_progress(instance, self.episodes))
            }
            (Verdict::Same, _) => Ok(()),
        }
    }

    /// The failure that the engine itself ended the execution with.
    fn outcome_of_the_engine(&self) -> Option<&Failure> {
        match &self.root {
            Root::Ended(Outcome::Failed(failure)) => match failure.kind() {
                FailureKind::Nondeterministic | FailureKind::NothingToWaitFor => Some(failure),
                _ => None,
            },
            _ => None,
        }
    }

    /// In verify mode: ends this session as failed when `lived`, which ran the same history without
    /// being unloaded, stands elsewhere, or was woken by something outside.
    pub fn verify_against(&mut self, lived: &Self) {
        if lived.shared.was_woken_from_outside() {
            self.fail(mismatch::woken_from_outside(&self.shared.started.instance));
        } else if lived.fingerprint() != self.fingerprint() {
            self.fail(mismatch::other_state(&self.shared.started.instance));
        }
    }
}
