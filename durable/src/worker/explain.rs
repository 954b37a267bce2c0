//! Why an instance is where it is, by a worker that may have its function.
//!
//! Replays what is stored on a thread of its own, beside whatever the worker does with the instance, and
//! without any effect. Begin with [`Worker::explain`].

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use tokio::sync::oneshot;

use super::{Host, Worker};
use crate::{
    client::{add_locks, stored},
    error::Error,
    explanation::{Explanation, Handling},
    history::{EventId, ExecutionStarted, History},
    model::{EventName, Failure, InstanceId},
    registry::OrchestratorFn,
    replay::{Outcome, Session, SessionOptions},
};

impl Worker {
    /// Says what an instance waits for, like [`Client::explain`](crate::client::Client::explain), and
    /// adds what takes the instance's function: the line of code of each wait, and whether this worker
    /// could continue it. Runs the orchestrator against its history, silently and without any effect.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when the history cannot be read.
    pub async fn explain(&self, run: impl AsRef<InstanceId>) -> Result<Explanation, Error> {
        let (host, instance) = (&self.host, run.as_ref());
        let (state, history) = stored(&*host.provider, instance).await?;
        let mut explanation = Explanation::of(state, &history, host.provider.clock().now());
        add_locks(&*host.provider, &mut explanation).await;
        let state = &explanation.state;
        if state.runtime_status.is_terminal() {
            return Ok(explanation);
        }
        let Some(function) = host.orchestrator(&state.name, state.version.as_ref()) else {
            let versions = host.registry.orchestrator_versions(&state.name).cloned().collect();
            explanation.handling = Handling::Unhandled { versions };
            return Ok(explanation);
        };
        explanation.handling = Handling::Handled;
        let function = function.clone();
        if let Some(started) = history.started().cloned() {
            match replayed(host, started, function, history).await {
                Ok(resting) => explanation.add_replay(&resting.tasks, resting.events),
                Err(failure) => explanation.handling = Handling::Broken(failure),
            }
        }
        Ok(explanation)
    }
}

/// Where an orchestration rests after its history.
struct Resting {
    tasks: BTreeMap<EventId, String>,
    events: Vec<(EventName, String)>,
}

/// Replays `history`, on a thread outside any runtime, as orchestrators run.
async fn replayed(
    host: &Host,
    started: ExecutionStarted,
    function: OrchestratorFn,
    history: History,
) -> Result<Resting, Failure> {
    let options = SessionOptions { max_payload: host.options.max_payload, ..SessionOptions::default() };
    let (done, outcome) = oneshot::channel();
    let thread = thread::Builder::new().name("durable-explain".into()).spawn(move || {
        let run = || resting(super::orchestrations::session(started, function, options), &history);
        let rests =
            catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Failure::panicked(&*panic)));
        // Whoever asked may have left.
        let _ = done.send(rests);
    });
    if let Err(error) = thread {
        return Err(Failure::from_error(&error));
    }
    outcome.await.unwrap_or_else(|_| Err(Failure::new("the replay ended without an answer")))
}

fn resting(mut session: Session, history: &History) -> Result<Resting, Failure> {
    session.replay(history.events());
    if let Some(Outcome::Failed(failure)) = session.outcome() {
        return Err(failure.clone());
    }
    let tasks = session.open_tasks().into_iter().map(|(task, line)| (task, line.to_string())).collect();
    let waits = session.open_waits().into_iter();
    let events = waits.map(|wait| (wait.event, wait.location.to_string())).collect();
    Ok(Resting { tasks, events })
}
