//! The one thread of a process that writes: everything that waits is committed as one transaction.
//!
//! Nothing ever waits for a batch to fill: while one commit runs, the next batch gathers. Must not
//! know SQL. Begin with [`Writer::run`].

mod anew;
mod forget;
mod hub;
mod leaving;
mod purge;
mod telling;

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use super::{
    error::Trouble,
    operation::{Begun, Done, Follow, Operation, Outcome, Purge, Reply, Write, answer, is_refusal},
    place::FEW,
    rows::Row,
    sending,
    shared::Shared,
    store::{Sent, Store, WrittenMessage},
};
use crate::provider::{ProviderError, ProviderErrorKind};

/// The most operations in one transaction: a commit that takes too long delays everybody.
const BATCH: usize = 4_096;
/// How often a quiet writer looks whether another process has written.
const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Writer {
    shared: Arc<Shared>,
    store: Box<dyn Store>,
    operations: Receiver<Operation>,
    /// Whether this process works the hub.
    works: bool,
    /// Those who wait for the end of work.
    leaving: Vec<Reply<()>>,
    /// Stored messages that nobody will consume.
    leftovers: Vec<Row>,
    /// What the hub is called in messages.
    hub: String,
    /// Purges under way, the first one first.
    purges: VecDeque<Purge>,
    /// How many instances they remove in the next transaction.
    pace: usize,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Box<dyn Store>,
        operations: Receiver<Operation>,
        hub: String,
    ) -> Self {
        Self {
            shared,
            store,
            operations,
            works: false,
            leaving: Vec::new(),
            leftovers: Vec::new(),
            hub,
            purges: VecDeque::new(),
            pace: FEW,
        }
    }

    /// Does what it is asked, until it is asked to stop or nobody can ask any more.
    pub(super) fn run(mut self) {
        let mut writes = Vec::new();
        while let Some(first) = self.next() {
            let mut operation = Some(first);
            while let Some(Operation::Write(write)) = operation {
                writes.push(write);
                operation = (writes.len() < BATCH).then(|| self.operations.try_recv().ok()).flatten();
            }
            if !writes.is_empty() {
                self.commit(mem::take(&mut writes));
            }
            let mut stops = false;
            if operation.as_ref().is_some_and(Operation::concerns_the_hub) {
                while self.purge_some_found() {}
            }
            match operation {
                Some(Operation::Stop) => stops = true,
                Some(Operation::BeginWork { reply, writer }) => {
                    let shared = self.shared.clone();
                    let begun = self.begin_work().map(|()| Begun { shared, writer, is_taken: false });
                    answer(reply, begun);
                }
                Some(Operation::Purge(id, reply)) => answer(reply, self.purge(&id)),
                Some(Operation::PurgeFound(purge)) => self.purges.push_back(purge),
                Some(Operation::PurgeDue) => self.purge_due(),
                Some(Operation::CreateHub(reply)) => answer(reply, self.create_hub()),
                Some(Operation::DeleteHub(reply)) => answer(reply, self.delete_hub()),
                Some(Operation::Flush(reply)) => self.leaving.push(reply),
                Some(Operation::Wake | Operation::Write(_)) | None => {}
            }
            self.purge_some_found();
            self.release_if_ended();
            self.tell_leaving();
            if stops {
                break;
            }
            if !self.works && self.store.is_shared() {
                self.look();
            }
        }
    }

    /// The next operation. While waiting it looks now and then for what others wrote.
    fn next(&mut self) -> Option<Operation> {
        if !self.purges.is_empty() {
            return self.operations.try_recv().ok().or(Some(Operation::Wake));
        }
        loop {
            let looks = self.store.is_shared()
                && (self.works || self.shared.update(|queue| queue.waiters.instances().len() > 0));
            if !looks {
                return self.operations.recv().ok();
            }
            match self.operations.recv_timeout(LOOK) {
                Ok(operation) => return Some(operation),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.look(),
            }
        }
    }

    /// Takes note of what other processes wrote.
    fn look(&mut self) {
        let changed = self.store.has_changed();
        let noted = match changed {
            Ok(false) => return,
            Ok(true) if self.works => {
                self.commit(Vec::new());
                return;
            }
            Ok(true) => self.store.mark_seen(),
            Err(trouble) => Err(trouble),
        };
        match noted {
            Ok(()) => self.tell_waiters(),
            Err(trouble) => warn(&trouble.on("look for changes in", self.hub.as_str())),
        }
    }

    /// Commits the writes together; when that fails, each by itself, so that one that cannot be
    /// written fails alone.
    fn commit(&mut self, writes: Vec<Write>) {
        match self.transact(&writes) {
            Ok(done) => self.acknowledge(writes, done),
            Err(trouble) if writes.is_empty() => {
                warn(&trouble.on("take in what others wrote to", self.hub.as_str()))
            }
            Err(_) => self.commit_one_by_one(writes),
        }
    }

    fn commit_one_by_one(&mut self, writes: Vec<Write>) {
        let mut hopeless = None;
        for write in writes {
            if let Some(kind) = &hopeless {
                self.fail(write, Trouble::new(ProviderErrorKind::clone(kind)));
                continue;
            }
            match self.transact(std::slice::from_ref(&write)) {
                Ok(done) => self.acknowledge(vec![write], done),
                Err(trouble) => {
                    hopeless = trouble.concerns_everything().then(|| trouble.kind.clone());
                    self.fail(write, trouble);
                }
            }
        }
    }

    fn transact(&mut self, writes: &[Write]) -> Result<Done, Trouble> {
        let done = self.store.begin().and_then(|()| {
            let done = self.write(writes)?;
            self.store.commit()?;
            Ok(done)
        });
        match done {
            Ok(done) => {
                self.leftovers.clear();
                let checkpoints = writes.iter().filter(|write| write.is_checkpoint()).count();
                self.shared.commits.count(writes.len(), checkpoints);
                Ok(done)
            }
            Err(trouble) => {
                self.store.rollback();
                Err(trouble)
            }
        }
    }

    fn write(&mut self, writes: &[Write]) -> Result<Done, Trouble> {
        let mut arrivals = Vec::new();
        if self.works && self.store.has_changed()? {
            arrivals = self.store.take_arrivals()?;
            self.store.mark_seen()?;
        }
        self.store.remove_messages(&self.leftovers)?;
        let mut outcomes = Vec::with_capacity(writes.len());
        let mut starts = anew::Starts::new();
        for write in writes {
            let outcome = self.write_one(write, &starts);
            match &outcome {
                Ok(outcome) => anew::note(&mut starts, write, outcome),
                Err(trouble) if is_refusal(&trouble.kind) => {}
                Err(_) => return outcome.map(|_| Done::default()),
            }
            outcomes.push(outcome);
            if let Write::Checkpoint { settlement, .. } = write
                && settlement.is_forgettable()
            {
                self.forget(settlement, &arrivals, &mut outcomes)?;
            }
        }
        Ok(Done { arrivals, outcomes })
    }

    fn write_one(&mut self, write: &Write, starts: &anew::Starts) -> Result<Outcome, Trouble> {
        match write {
            Write::Create { new, .. } => {
                let accepted = self.store.create_instance(new)?;
                if !self.works {
                    self.store.announce(accepted.head.key, None)?;
                }
                Ok(Outcome::Accepted(Box::new(accepted)))
            }
            Write::Send { message, .. } => {
                let sent = sending::deliver(&mut *self.store, message)?;
                if !self.works {
                    sending::announce(&mut *self.store, &sent)?;
                }
                Ok(Outcome::Sent(sent))
            }
            Write::Checkpoint { settlement, .. } => {
                let kept = self.store.checkpoint(&settlement.episode())?;
                let mut sent = Vec::with_capacity(settlement.outgoing().len());
                for message in settlement.outgoing() {
                    sent.push(self.add_outgoing(message)?);
                }
                let anew = self.begin_anew(settlement, starts)?;
                Ok(Outcome::Saved { kept, sent, is_forgotten: false, anew })
            }
        }
    }

    /// A message to an instance that has gone is dropped (DECISIONS 5).
    fn add_outgoing(&mut self, message: &WrittenMessage) -> Result<Option<Sent>, Trouble> {
        match sending::deliver(&mut *self.store, message) {
            Ok(sent) => Ok(Some(sent)),
            Err(trouble) if is_refusal(&trouble.kind) => {
                tracing::debug!(instance = %message.message.instance, "a message found nobody");
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Lets the queue follow what is durable now, and only then says so to whoever asked.
    fn acknowledge(&mut self, writes: Vec<Write>, done: Done) {
        let shared = self.shared.clone();
        let now = shared.clock.now();
        let works = self.works;
        let count = writes.len();
        let answers: Vec<_> = shared.update(|queue| {
            for arrival in done.arrivals {
                queue.take_in(arrival, now);
            }
            let written = writes.into_iter().zip(done.outcomes);
            let follow = Follow { works, now };
            let answers = written.map(|(write, outcome)| write.follow(queue, follow, outcome)).collect();
            shared.finish_writes(count);
            self.leftovers.append(&mut queue.leftovers);
            answers
        });
        self.tell_met();
        for answer in answers {
            answer.send();
        }
    }

    fn fail(&self, write: Write, trouble: Trouble) {
        let now = self.shared.clock.now();
        let answer = self.shared.update(|queue| {
            self.shared.finish_writes(1);
            write.follow(queue, Follow { works: self.works, now }, Err(trouble))
        });
        answer.send();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.update(|queue| {
            queue.is_closed = true;
            queue.waiters.dismiss_all();
        });
        self.shared.wake_fetches();
    }
}

fn warn(error: &ProviderError) {
    tracing::warn!(%error, cause = error.source.as_deref().map(tracing::field::display), "it is tried again");
}
