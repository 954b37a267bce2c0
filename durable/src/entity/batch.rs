//! A turn's operations, run one after the other; a failed one leaves no trace.
//!
//! Must not know queues, locks or messages, nor where it is polled. A future of its own making: it polls
//! what the entity's code gives it and waits for nothing else. Begin with [`Batch`].

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;

use super::executor::{EntityExecutor, LiveEntity, Operated, Sent};
use crate::{
    history::OperationRequest,
    model::{EntityId, Failure, Payload},
};

/// Runs operations in order; each sees the state that the one before left.
///
/// The state is read once and written once a batch. To undo a failed operation (R2:PERF-10, DECISIONS
/// 12) a copy is kept before each that may change the state; entities that cannot be copied are
/// written as JSON instead. Should the final state turn out to be impossible to store, the batch runs once
/// more and writes after each operation, to fail the one to blame and no other: operations run at least
/// once, and their effects on the hub count once.
pub struct Batch {
    executor: Arc<dyn EntityExecutor>,
    entity: EntityId,
    /// The largest state that may be stored, in bytes of JSON.
    largest: usize,
    first: Option<Payload>,
    operations: Vec<OperationRequest>,
    ends: Vec<OperationEnd>,
    current: Current,
    /// What to go back to, if it is as the last successful operation left it.
    before: Option<Current>,
    running: Option<BoxFuture<'static, Operated>>,
    writes_after_each: bool,
}

/// The entity, in memory or as stored.
enum Current {
    Stored(Option<Payload>),
    Live(Box<dyn LiveEntity>),
    /// Moved into the running operation.
    Away,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEnd {
    /// The entity's state from now on.
    pub state: Option<Payload>,
    /// One end for each operation, in order.
    pub ends: Vec<OperationEnd>,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationEnd {
    /// What the caller gets.
    pub result: Result<Payload, Failure>,
    /// What is to be sent; nothing when it failed.
    pub sent: Vec<Sent>,
}

impl Batch {
    /// A batch of `operations` on `entity`, whose stored state is `state`; a state of more than `largest`
    /// bytes of JSON fails the operation that made it.
    pub fn new(
        executor: Arc<dyn EntityExecutor>,
        entity: EntityId,
        state: Option<Payload>,
        operations: Vec<OperationRequest>,
        largest: usize,
    ) -> Self {
        Self {
            executor,
            entity,
            largest,
            current: Current::Stored(state.clone()),
            before: None,
            ends: Vec::with_capacity(operations.len()),
            first: state,
            operations,
            running: None,
            writes_after_each: false,
        }
    }

    /// Ends the running operation with `failure`: it took too long, say. The next poll goes on with the
    /// operation after it.
    pub fn fail_running(&mut self, failure: Failure) {
        if let Some(running) = self.running.take() {
            drop(guarded(|| drop(running)));
            self.undo(failure);
        }
    }

    /// Starts the next operation, or fails it where it stands.
    fn start(&mut self) {
        let live = match std::mem::replace(&mut self.current, Current::Away) {
            Current::Live(live) => match self.remember(&*live) {
                Ok(()) => Ok(live),
                Err(failure) => return self.run_again(&failure),
            },
            Current::Stored(state) => {
                self.before = Some(Current::Stored(state.clone()));
                guarded(|| self.executor.load(&self.entity, state))
            }
            Current::Away => Err(Failure::new("the entity is no longer in memory")),
        };
        let operation = self.operations[self.ends.len()].clone();
        match live.and_then(|live| guarded(|| live.operate(operation))) {
            Ok(running) => self.running = Some(running),
            Err(failure) => self.undo(failure),
        }
    }

    /// Keeps what to go back to, unless it is there already.
    fn remember(&mut self, live: &dyn LiveEntity) -> Result<(), Failure> {
        if self.before.is_none() {
            self.before = Some(match guarded(|| live.copy())? {
                Some(copy) => Current::Live(copy),
                None => Current::Stored(self.save(live)?),
            });
        }
        Ok(())
    }

    /// Takes the end of the running operation.
    fn settle(&mut self, operated: Operated) {
        let Operated { entity, result, sent } = operated;
        let operation = &self.operations[self.ends.len()].operation;
        let what = || format!("the result of operation `{}` of `{}`", operation.as_str(), self.entity);
        let result = match result {
            Ok(result) if result.size() <= self.largest => result,
            Ok(result) => match result.within(self.largest, &what()) {
                Ok(result) => result,
                Err(failure) => return self.undo(failure),
            },
            Err(failure) => return self.undo(failure),
        };
        // A first operation creates the state even if it only reads (R3:ENT-8).
        let is_new = matches!(self.before, Some(Current::Stored(None)));
        if is_new || !guarded(|| entity.is_read_only(operation)).unwrap_or(false) {
            let written = self.writes_after_each.then(|| self.save(&*entity)).transpose();
            match written {
                Ok(written) => self.before = written.map(Current::Stored),
                Err(failure) => return self.undo(failure),
            }
        }
        self.current = Current::Live(entity);
        self.ends.push(OperationEnd { result: Ok(result), sent });
    }

    /// Fails the operation and goes back to before it.
    fn undo(&mut self, failure: Failure) {
        self.ends.push(OperationEnd::failed(failure));
        if let Some(before) = self.before.take() {
            self.current = before;
        }
    }

    /// Begins anew, to find the operation whose state cannot be stored.
    fn run_again(&mut self, failure: &Failure) {
        tracing::warn!(entity = %self.entity, %failure, "a state cannot be stored: runs the batch again");
        self.writes_after_each = true;
        self.ends.clear();
        self.before = None;
        self.current = Current::Stored(self.first.clone());
    }

    fn save(&self, live: &dyn LiveEntity) -> Result<Option<Payload>, Failure> {
        let state = guarded(|| live.save())??;
        state.map(|state| state.within(self.largest, &format!("the state of `{}`", self.entity))).transpose()
    }

    /// The state to store once all operations have ended.
    fn state(&self) -> Result<Option<Payload>, Failure> {
        match (&self.before, &self.current) {
            (Some(Current::Stored(state)), _) | (_, Current::Stored(state)) => Ok(state.clone()),
            (_, Current::Live(live)) => self.save(&**live),
            (_, Current::Away) => Ok(self.first.clone()),
        }
    }
}

impl OperationEnd {
    /// The end of an operation that left no trace.
    pub fn failed(failure: Failure) -> Self {
        Self { result: Err(failure), sent: Vec::new() }
    }
}

impl BatchEnd {
    /// The end of a batch that could not be run at all: every operation fails, and `state` stays.
    pub fn failed(state: Option<Payload>, operations: usize, failure: &Failure) -> Self {
        Self { state, ends: vec![OperationEnd::failed(failure.clone()); operations] }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (entity, operations, ended) = (&self.entity, self.operations.len(), self.ends.len());
        write!(f, "Batch {{ entity: {entity}, operations: {operations}, ended: {ended} }}")
    }
}

impl Future for Batch {
    type Output = BatchEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BatchEnd> {
        loop {
            if let Some(running) = &mut self.running {
                let polled = guarded(|| running.as_mut().poll(cx));
                match polled {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(operated)) => {
                        self.running = None;
                        self.settle(operated);
                    }
                    Err(failure) => self.fail_running(failure),
                }
            } else if self.ends.len() < self.operations.len() {
                self.start();
            } else {
                match self.state() {
                    Ok(state) => {
                        return Poll::Ready(BatchEnd { state, ends: std::mem::take(&mut self.ends) });
                    }
                    Err(failure) => self.run_again(&failure),
                }
            }
        }
    }
}

/// Runs code of the user's; a panic becomes a failure.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic: Box<dyn Any + Send>| Failure::panicked(&*panic))
}
