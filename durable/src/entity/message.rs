//! Messages to entities and their answers, as every party sends them.
//!
//! Knows how a request is addressed, not when it is sent. Begin with [`requests`] for what an
//! orchestration's actions send.

use serde::Serialize;

use crate::{
    history::{
        EntityRequest, EventKind, ExecutionStarted, HistoryEvent, LockBreak, LockOwner, LockRelease,
        LockRequest, OperationRequest, RequestBody, RequestId, Sender, TaskMessage,
    },
    model::{EntityId, ExecutionId, Failure, InstanceId, OperationName, Payload, Timestamp},
};

/// What the recorded action `event` sends to entities; nothing for other actions.
///
/// To be sent with the checkpoint that records the action, in the order of the actions.
pub fn requests(started: &ExecutionStarted, event: &HistoryEvent) -> Vec<TaskMessage> {
    let at = event.timestamp;
    let sender = || Some(Sender::of(started));
    let owner = |section| LockOwner {
        instance: started.instance.clone(),
        execution: Some(started.execution.clone()),
        section: RequestId::Task(section),
    };
    match &event.kind {
        EventKind::EntityOperationCalled { entity, operation, input, section } => {
            let request = OperationRequest {
                operation: operation.clone(),
                input: input.clone(),
                call: Some(RequestId::Task(event.id)),
                section: section.map(RequestId::Task),
                due: None,
            };
            vec![to_entity(entity, sender(), RequestBody::Operation(request), at)]
        }
        EventKind::EntityOperationSignaled { entity, operation, input, due } => {
            vec![signal(entity, sender(), operation.clone(), input.clone(), *due, at)]
        }
        EventKind::EntityLockRequested { entities } => {
            let request = LockRequest { owner: owner(event.id), set: entities.clone(), position: 0 };
            let first = entities.first();
            first
                .map(|first| to_entity(first, sender(), RequestBody::Lock(request), at))
                .into_iter()
                .collect()
        }
        EventKind::EntityUnlockSent { section, entities, held } => {
            release(&owner(*section), entities, *held, at)
        }
        _ => Vec::new(),
    }
}

/// A signal: an operation that nobody waits for. `sender` is `None` for clients.
pub fn signal(
    entity: &EntityId,
    sender: Option<Sender>,
    operation: OperationName,
    input: Payload,
    due: Option<Timestamp>,
    at: Timestamp,
) -> TaskMessage {
    let request = OperationRequest { operation, input, call: None, section: None, due };
    TaskMessage { visible_at: due, ..to_entity(entity, sender, RequestBody::Operation(request), at) }
}

/// Gives up the locks of a section: held ones directly, others along the path of the request, which
/// may be anywhere on it.
pub fn release(owner: &LockOwner, entities: &[EntityId], held: bool, at: Timestamp) -> Vec<TaskMessage> {
    let sender = Sender { instance: owner.instance.clone(), execution: owner.execution.clone() };
    let told = if held { entities.len() } else { entities.len().min(1) };
    let path = if held { Vec::new() } else { entities.iter().skip(1).cloned().collect() };
    let release = LockRelease { owner: owner.clone(), path };
    let tell = |entity| to_entity(entity, Some(sender.clone()), RequestBody::Release(release.clone()), at);
    entities[..told].iter().map(tell).collect()
}

/// Ends the lock of `entity` against its owner's will: `owner`'s, or whoever's it is by then. What the
/// owner still asks of the entity within its critical section fails, and never runs.
pub fn break_lock(entity: &EntityId, owner: Option<LockOwner>, at: Timestamp) -> TaskMessage {
    to_entity(entity, None, RequestBody::Break(LockBreak { owner }), at)
}

/// Any request to an entity.
pub fn to_entity(entity: &EntityId, sender: Option<Sender>, body: RequestBody, at: Timestamp) -> TaskMessage {
    let request = EntityRequest::new(sender, body);
    event_to(entity.instance(), None, EventKind::EntityRequested(Box::new(request)), at)
}

/// The answer to a call.
pub(super) fn answer(
    to: &Sender,
    call: &RequestId,
    result: Result<Payload, Failure>,
    at: Timestamp,
) -> TaskMessage {
    let kind = match (call, result) {
        (RequestId::Task(task), Ok(result)) => EventKind::EntityOperationCompleted { task: *task, result },
        (RequestId::Task(task), Err(failure)) => EventKind::EntityOperationFailed { task: *task, failure },
        (RequestId::Foreign(id), result) => foreign(id, result),
    };
    event_to(to.instance.clone(), to.execution.clone(), kind, at)
}

/// Tells the owner that the last lock of its section is held, and so all of them.
pub(super) fn granted(owner: &LockOwner, at: Timestamp) -> TaskMessage {
    let kind = match &owner.section {
        RequestId::Task(task) => EventKind::EntityLockGranted { task: *task },
        RequestId::Foreign(id) => {
            foreign(id, Ok(Payload::of("Lock Acquisition Completed").unwrap_or_default()))
        }
    };
    event_to(owner.instance.clone(), owner.execution.clone(), kind, at)
}

/// The reference's answer: an external event named after the request, with the result as JSON text.
fn foreign(id: &str, result: Result<Payload, Failure>) -> EventKind {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Response {
        result: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exception_type: Option<String>,
    }
    let response = match result {
        Ok(result) => Response { result: Some(result.as_json().to_owned()), exception_type: None },
        Err(failure) => Response { result: None, exception_type: Some(failure.to_string()) },
    };
    EventKind::EventRaised { name: id.into(), input: Payload::of(&response).unwrap_or_default() }
}

fn event_to(
    instance: InstanceId,
    execution: Option<ExecutionId>,
    kind: EventKind,
    at: Timestamp,
) -> TaskMessage {
    TaskMessage { instance, execution, event: HistoryEvent::new(at, kind), visible_at: None }
}

impl Sender {
    /// An orchestration as a sender.
    pub fn of(started: &ExecutionStarted) -> Self {
        Self { instance: started.instance.clone(), execution: Some(started.execution.clone()) }
    }

    /// An entity as a sender.
    pub fn entity(id: &EntityId) -> Self {
        Self { instance: id.instance(), execution: None }
    }
}
