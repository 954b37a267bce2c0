//! One work item of an entity: what its messages let happen, and in which order.
//!
//! Must not run operations: it says which are to run and takes their ends. Nothing about locks depends
//! on what an operation does, so all of it is decided before the first one runs. Begin with [`Turn`].

use std::{collections::VecDeque, time::Duration};

use super::{
    batch::{BatchEnd, OperationEnd},
    executor::Sent,
    message,
    state::{EntityLock, EntityState, Waiting},
};
use crate::{
    history::{
        EntityRequest, EventKind, HistoryEvent, LockOwner, LockRelease, LockRequest, OperationRequest,
        RequestBody, Sender, TaskMessage,
    },
    model::{EntityId, Failure, FailureKind, Payload, Timestamp},
};

/// How a turn is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnOptions {
    /// When.
    pub now: Timestamp,
    /// How many operations run at most (`max_entity_operation_batch_size`, R2:PERF-9); at least one.
    pub most_operations: usize,
    /// For how long messages that were doubled or overtook each other are recognised; `None` for
    /// stores that deliver each once and in order, as the embedded one does.
    pub reorder_window: Option<Duration>,
}

/// What has become of the owner of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The execution has not ended.
    Live,
    /// The instance does not exist, has ended, or is in another execution.
    Gone,
    /// The store cannot tell yet: it may see an instance's messages before the instance.
    Unknown,
}

/// One turn of an entity: `take` its messages, answer its `doubt`s, run its `operations`, `finish`.
#[derive(Debug)]
pub struct Turn {
    entity: EntityId,
    saved: EntityState,
    options: TurnOptions,
    steps: Vec<Step>,
    operations: usize,
    /// Whether somebody began to wait for the present owner in this turn.
    is_contended: bool,
}

/// What happens in a turn, in order.
#[derive(Debug)]
enum Step {
    Run { sender: Option<Sender>, request: OperationRequest },
    Send(Box<TaskMessage>),
}

/// What a turn leaves behind. Kept and sent by one checkpoint, or not at all.
#[derive(Debug)]
pub struct TurnEnd {
    /// What to keep of the entity.
    pub state: EntityState,
    /// What to send, in this order.
    pub messages: Vec<TaskMessage>,
}

impl Turn {
    /// Begins a turn of `entity`, of which `saved` was kept.
    pub fn new(entity: EntityId, saved: EntityState, options: TurnOptions) -> Self {
        Self { entity, saved, options, steps: Vec::new(), operations: 0, is_contended: false }
    }

    /// Takes the work item's messages, in the order in which they were delivered. Those that are no
    /// messages to entities are ignored.
    pub fn take<'a>(&mut self, messages: impl IntoIterator<Item = &'a TaskMessage>) {
        for message in messages {
            if let EventKind::EntityRequested(request) = &message.event.kind {
                self.arrive((**request).clone());
            }
        }
        self.advance();
    }

    /// The owner of the lock, if somebody has begun to wait for it in this turn: it is to be looked up
    /// and [`learn`](Self::learn)ed. To be asked until there is none.
    ///
    /// The only time at which an owner is looked for: a lock that nobody wants harms nobody.
    pub fn doubt(&self) -> Option<&LockOwner> {
        let lock = self.saved.lock.as_ref()?;
        (self.is_contended && !self.saved.waiting.is_empty()).then_some(&lock.owner)
    }

    /// Takes the answer to a doubt. An entity whose lock has nobody to release it orders itself to break
    /// it: by then, everything has come that the owner had sent before its end.
    pub fn learn(&mut self, presence: Presence) {
        self.is_contended = false;
        match presence {
            Presence::Live | Presence::Unknown => {}
            Presence::Gone => {
                let owner = self.saved.lock.as_ref().map(|lock| lock.owner.clone());
                self.send(message::break_lock(&self.entity, owner, self.options.now));
            }
        }
    }

    /// The entity's state, as the first operation is to see it.
    pub fn state(&self) -> Option<&Payload> {
        self.saved.state.as_ref()
    }

    /// The operations to run, in this order, each seeing what the one before left.
    pub fn operations(&self) -> Vec<OperationRequest> {
        let run = |step: &Step| match step {
            Step::Run { request, .. } => Some(request.clone()),
            Step::Send(_) => None,
        };
        self.steps.iter().filter_map(run).collect()
    }

    /// Takes what became of the operations, and says what to keep and what to send.
    pub fn finish(mut self, end: BatchEnd) -> TurnEnd {
        let now = self.options.now;
        if self.operations > 0 {
            self.saved.state = end.state;
            self.saved.last_modified = Some(now);
        }
        let mut ends = end.ends.into_iter();
        let mut messages = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            match step {
                Step::Send(message) => messages.push(*message),
                Step::Run { sender, request } => {
                    let end = ends.next().unwrap_or_else(|| OperationEnd::failed(never_run()));
                    messages.extend(end.sent.into_iter().map(|sent| self.sent(sent)));
                    if let (Some(sender), Some(call)) = (sender, request.call) {
                        messages.push(message::answer(&sender, &call, end.result, now));
                    }
                }
            }
        }
        if self.saved.is_ready() {
            messages.push(message::to_entity(&self.entity, None, RequestBody::Continue, now));
        }
        if self.options.reorder_window.is_some() {
            messages.iter_mut().for_each(|message| self.label(message));
        }
        TurnEnd { state: self.saved, messages }
    }

    fn arrive(&mut self, request: EntityRequest) {
        let since = self.options.now;
        if let RequestBody::Operation(OperationRequest { due: Some(due), .. }) = &request.body
            && *due > since
        {
            return self.send_to_itself(request.clone(), *due);
        }
        let in_order = match self.options.reorder_window {
            Some(window) => self.saved.sorter.receive(request, window),
            None => vec![request],
        };
        self.saved.backlog.extend(in_order.into_iter().map(|request| Waiting::new(since, request)));
    }

    /// For stores that cannot hide a message for as long as it must wait.
    fn send_to_itself(&mut self, request: EntityRequest, due: Timestamp) {
        let mut message = message::to_entity(&self.entity, None, RequestBody::Continue, self.options.now);
        message.event.kind = EventKind::EntityRequested(Box::new(request));
        message.visible_at = Some(due);
        self.steps.push(Step::Send(Box::new(message)));
    }

    /// Looks at one request after the other until the batch is full. Those who have waited longer come
    /// first; nobody is overtaken but by the owner of the lock, and some times by who holds other locks.
    fn advance(&mut self) {
        while self.operations < self.options.most_operations.max(1) {
            let freed = if self.saved.lock.is_none() { self.saved.take_waiting() } else { None };
            let Some(next) = freed.or_else(|| self.saved.backlog.pop_front()) else { return };
            self.decide(next);
        }
    }

    fn decide(&mut self, next: Waiting) {
        match &next.request.body {
            RequestBody::Operation(_) => self.operation(next),
            RequestBody::Lock(_) => self.lock(next),
            RequestBody::Release(release) => self.release(release),
            RequestBody::Break(order) => {
                let is_meant =
                    |lock: &EntityLock| order.owner.as_ref().is_none_or(|owner| lock.owner.is(owner));
                if let Some(lock) = self.saved.lock.take_if(|lock| is_meant(lock)) {
                    tracing::warn!(entity = %self.entity, owner = %lock.owner, "broke a lock");
                }
            }
            RequestBody::Continue => {}
        }
    }

    fn operation(&mut self, next: Waiting) {
        let Waiting { since, request: EntityRequest { sender, place, body }, .. } = next;
        let RequestBody::Operation(request) = body else { return };
        let lock = self.saved.lock.as_ref();
        let is_owners = is_of_owner(lock, sender.as_ref(), &request);
        if is_owners || (lock.is_none() && request.section.is_none()) {
            self.operations += 1;
            self.steps.push(Step::Run { sender, request });
        } else if request.section.is_none() {
            let request = EntityRequest { sender, place, body: RequestBody::Operation(request) };
            self.wait(Waiting::new(since, request));
        } else if let (Some(sender), Some(call)) = (&sender, &request.call) {
            let refusal = lock_lost(&self.entity, &request);
            self.send(message::answer(sender, call, Err(refusal), self.options.now));
        }
    }

    fn lock(&mut self, next: Waiting) {
        let RequestBody::Lock(request) = &next.request.body else { return };
        let is_known = |owner: &LockOwner| owner.is(&request.owner);
        let holds = self.saved.lock.as_ref().is_some_and(|lock| is_known(&lock.owner));
        if holds || self.saved.waiting.iter().any(|other| is_lock_of(&other.request, &request.owner)) {
            return;
        }
        if self.saved.lock.is_some() {
            return self.wait(next);
        }
        let LockRequest { owner, set, position } = request.clone();
        let now = self.options.now;
        let message = match set.get(position + 1) {
            Some(following) => {
                let request = LockRequest { owner: owner.clone(), set: set.clone(), position: position + 1 };
                let sender = Some(Sender::entity(&self.entity));
                message::to_entity(following, sender, RequestBody::Lock(request), now)
            }
            None => message::granted(&owner, now),
        };
        self.send(message);
        self.saved.lock = Some(EntityLock { owner, set, since: now });
        self.is_contended = true;
        self.let_owner_pass();
    }

    /// What the new owner had asked for before its section may have queued behind the request for the
    /// lock. It comes first now: left behind, it would wait for a release that may wait for it.
    fn let_owner_pass(&mut self) {
        let lock = self.saved.lock.as_ref();
        let is_owners = |waiting: &Waiting| match &waiting.request.body {
            RequestBody::Operation(request) => is_of_owner(lock, waiting.request.sender.as_ref(), request),
            RequestBody::Lock(_)
            | RequestBody::Release(_)
            | RequestBody::Break(_)
            | RequestBody::Continue => false,
        };
        let (owners, others): (VecDeque<_>, _) = self.saved.waiting.drain(..).partition(is_owners);
        self.saved.waiting = others;
        owners.into_iter().rev().for_each(|waiting| self.saved.backlog.push_front(waiting));
    }

    /// A release that follows a request meets it where it waits, or goes on behind it: from one entity
    /// to the next it cannot overtake it.
    fn release(&mut self, release: &LockRelease) {
        let before = self.saved.waiting.len();
        self.saved.waiting.retain(|waiting| !is_lock_of(&waiting.request, &release.owner));
        if self.saved.waiting.len() < before {
            return;
        }
        drop(self.saved.lock.take_if(|lock| lock.owner.is(&release.owner)));
        if let Some((following, path)) = release.path.split_first() {
            let body =
                RequestBody::Release(LockRelease { owner: release.owner.clone(), path: path.to_vec() });
            let sender = Some(Sender::entity(&self.entity));
            self.send(message::to_entity(following, sender, body, self.options.now));
        }
    }

    fn wait(&mut self, waiting: Waiting) {
        self.is_contended = true;
        self.saved.waiting.push_back(waiting);
    }

    fn send(&mut self, message: TaskMessage) {
        self.steps.push(Step::Send(Box::new(message)));
    }

    fn sent(&self, sent: Sent) -> TaskMessage {
        let now = self.options.now;
        match sent {
            Sent::Signal { entity, operation, input, due } => {
                message::signal(&entity, Some(Sender::entity(&self.entity)), operation, input, due, now)
            }
            Sent::Start(started) => TaskMessage {
                instance: started.instance.clone(),
                execution: Some(started.execution.clone()),
                visible_at: started.scheduled_start,
                event: HistoryEvent::new(now, EventKind::ExecutionStarted(started)),
            },
        }
    }

    /// Gives a message of this entity to another its place in the sequence between the two.
    fn label(&mut self, message: &mut TaskMessage) {
        let Some(window) = self.options.reorder_window else { return };
        let is_own = |sender: &Sender| sender.instance.as_str() == self.entity.as_str();
        if let EventKind::EntityRequested(request) = &mut message.event.kind
            && message.visible_at.is_none()
            && request.sender.as_ref().is_some_and(is_own)
        {
            request.place = Some(self.saved.sorter.send(&message.instance, self.options.now, window));
        }
    }
}

fn is_lock_of(request: &EntityRequest, owner: &LockOwner) -> bool {
    matches!(&request.body, RequestBody::Lock(request) if request.owner.is(owner))
}

/// Whether an operation comes from who holds the lock.
///
/// What an orchestration sent before its section began may come after the lock was taken, which comes by
/// way of other entities: it runs at once, or what is called in the section would overtake it. Other
/// implementations name no section: there the instance must do.
fn is_of_owner(lock: Option<&EntityLock>, sender: Option<&Sender>, request: &OperationRequest) -> bool {
    let (Some(EntityLock { owner, .. }), Some(sender)) = (lock, sender) else { return false };
    let section = request.section.as_ref().unwrap_or(&owner.section);
    owner.is(&LockOwner {
        instance: sender.instance.clone(),
        execution: sender.execution.clone(),
        section: section.clone(),
    })
}

fn lock_lost(entity: &EntityId, request: &OperationRequest) -> Failure {
    let message = format!(
        "operation `{}` was not run: entity `{entity}` is no longer locked by this critical section; its lock \
         was broken or its owner taken for gone",
        request.operation.as_str()
    );
    Failure::of_kind(FailureKind::LockLost, "LockLost", message)
}

fn never_run() -> Failure {
    Failure::of_kind(
        FailureKind::Poisoned,
        "OperationNotRun",
        "the operation was not run; its batch was given up",
    )
}
