//! Turns of an entity: given what was kept, when these messages arrive, that runs and is sent.

use std::time::Duration;

use durable::{
    entity::{BatchEnd, EntityState, OperationEnd, Presence, Sorter, Turn, TurnEnd, TurnOptions, message},
    history::{
        EntityRequest, EventId, EventKind, LockOwner, LockRequest, OperationRequest, Place, RequestBody,
        RequestId, Sender, TaskMessage,
    },
    model::{EntityId, ExecutionId, InstanceId, Payload, Timestamp},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn me() -> EntityId {
    EntityId::new("account", "a").unwrap()
}

fn sender(name: &str) -> Option<Sender> {
    let execution = Some(ExecutionId::new(format!("{name}-1")));
    Some(Sender { instance: InstanceId::new(name).unwrap(), execution })
}

fn owner(name: &str) -> LockOwner {
    let Sender { instance, execution } = sender(name).unwrap();
    LockOwner { instance, execution, section: RequestId::Task(EventId::FIRST) }
}

fn call(from: &str, operation: &str, in_section: bool) -> TaskMessage {
    let request = OperationRequest {
        operation: operation.into(),
        input: Payload::null(),
        call: Some(RequestId::Task(EventId::from_i32(7))),
        section: in_section.then_some(RequestId::Task(EventId::FIRST)),
        due: None,
    };
    message::to_entity(&me(), sender(from), RequestBody::Operation(request), NOW)
}

fn lock(by: &str, set: &[EntityId]) -> TaskMessage {
    let request = LockRequest { owner: owner(by), set: set.to_vec(), position: 0 };
    message::to_entity(&me(), sender(by), RequestBody::Lock(request), NOW)
}

fn release(by: &str) -> TaskMessage {
    message::release(&owner(by), &[me()], true, NOW).remove(0)
}

fn turn(kept: &EntityState, messages: &[TaskMessage], most_operations: usize) -> Turn {
    let options = TurnOptions { now: NOW, most_operations, reorder_window: None };
    let mut turn = Turn::new(me(), kept.clone(), options);
    turn.take(messages);
    turn
}

/// The operations that run, and what is kept and sent when all succeed.
fn finished(turn: Turn) -> (Vec<String>, TurnEnd) {
    let operations: Vec<_> =
        turn.operations().iter().map(|request| request.operation.as_str().to_owned()).collect();
    let done = OperationEnd { result: Ok(Payload::null()), sent: Vec::new() };
    let ends = vec![done; operations.len()];
    (operations, turn.finish(BatchEnd { state: Some(Payload::null()), ends }))
}

fn after(messages: &[TaskMessage]) -> EntityState {
    finished(turn(&EntityState::default(), messages, 100)).1.state
}

fn sent(end: &TurnEnd) -> Vec<(String, &'static str)> {
    let name = |message: &TaskMessage| match &message.event.kind {
        EventKind::EntityRequested(request) => match request.body {
            RequestBody::Operation(_) => "operation",
            RequestBody::Lock(_) => "lock",
            RequestBody::Release(_) => "release",
            RequestBody::Break(_) => "break",
            RequestBody::Continue => "continue",
        },
        other => other.name(),
    };
    end.messages.iter().map(|message| (message.instance.to_string(), name(message))).collect()
}

// R2:ENT-50, R2:ENT-53 to R2:ENT-56
#[test]
fn while_it_is_locked_only_its_owner_is_served_and_the_others_after_it_in_order() {
    let messages =
        [lock("x", &[me()]), call("y", "second", false), lock("z", &[me()]), call("x", "first", true)];
    let (ran, end) = finished(turn(&EntityState::default(), &messages, 100));
    assert_eq!(ran, ["first"]);
    assert_eq!(sent(&end), [("x".into(), "EntityLockGranted"), ("x".into(), "EntityOperationCompleted")]);
    let (ran, end) = finished(turn(&end.state, &[call("y", "third", false), release("x")], 100));
    assert_eq!(ran, ["second"]);
    assert_eq!(end.state.lock().unwrap().owner, owner("z"));
    let (ran, end) = finished(turn(&end.state, &[release("z")], 100));
    assert_eq!((ran, end.state.queue_length()), (vec!["third".to_owned()], 0));
}

/// Asks for the lock of this entity, and holds those before it in the set already.
fn lock_with_others(by: &str, held: usize) -> TaskMessage {
    let set = (0..held).map(|key| EntityId::new("a", key).unwrap()).chain([me()]).collect();
    let request = LockRequest { owner: owner(by), set, position: held };
    message::to_entity(&me(), sender(by), RequestBody::Lock(request), NOW)
}

// Who holds nothing lets those pass who hold other locks, for else all wait that want those; but not for ever,
// and an operation is passed by nobody.
#[test]
fn a_request_that_holds_other_locks_comes_before_those_that_hold_none_some_times() {
    let asked = [lock("x", &[me()]), lock("y", &[me()]), lock_with_others("z", 1)];
    let (_, end) = finished(turn(&after(&asked), &[release("x")], 100));
    assert_eq!(end.state.lock().unwrap().owner, owner("z"));

    let mut kept = after(&[lock("x", &[me()]), lock("y", &[me()])]);
    let mut holder = "x".to_owned();
    for number in 0..100 {
        let next = format!("z{number}");
        kept = finished(turn(&kept, &[lock_with_others(&next, 1), release(&holder)], 100)).1.state;
        if kept.lock().unwrap().owner == owner("y") {
            assert!(number > 0, "it lets some pass");
            return;
        }
        holder = next;
    }
    panic!("y never had its turn");
}

#[test]
fn an_operation_that_waits_is_passed_by_no_request() {
    let asked = [lock("x", &[me()]), call("y", "add", false), lock_with_others("z", 1)];
    let (ran, end) = finished(turn(&after(&asked), &[release("x")], 100));
    assert_eq!((ran, end.state.lock().unwrap().owner.clone()), (vec!["add".to_owned()], owner("z")));
}

#[test]
fn a_lock_request_goes_on_to_the_next_entity_and_the_last_one_answers() {
    let other = EntityId::new("account", "b").unwrap();
    let (_, end) = finished(turn(&EntityState::default(), &[lock("x", &[me(), other])], 100));
    assert_eq!(sent(&end), [("@account@b".into(), "lock")]);
}

// R2:ENT-57
#[test]
fn the_lock_and_the_queue_survive_storage() {
    let kept = after(&[lock("x", &[me()]), call("y", "add", false), lock("z", &[me()])]);
    let read: EntityState = Payload::of(&kept).unwrap().read().unwrap();
    assert_eq!(read, kept);
    assert_eq!(read.awaited_locks().map(|lock| lock.owner).collect::<Vec<_>>(), [owner("z")]);
}

#[test]
fn a_call_in_a_section_that_lost_its_lock_is_refused_and_never_runs() {
    let kept = after(&[lock("x", &[me()])]);
    let break_it = message::break_lock(&me(), Some(owner("x")), NOW);
    let (ran, end) = finished(turn(&kept, &[break_it, call("x", "add", true)], 100));
    assert_eq!((ran.len(), sent(&end)), (0, vec![("x".into(), "EntityOperationFailed")]));
    let stale = message::break_lock(&me(), Some(owner("x")), NOW);
    let (_, end) = finished(turn(&after(&[lock("z", &[me()])]), &[stale], 100));
    assert_eq!(end.state.lock().unwrap().owner, owner("z"));
}

// A signal sent before the section may arrive after its lock, which came by way of another entity; found by
// the model.
#[test]
fn what_the_owner_sent_before_its_section_runs_before_what_it_calls_in_it() {
    let kept = after(&[lock("x", &[me()])]);
    let (ran, _) = finished(turn(&kept, &[call("x", "before", false), call("x", "inside", true)], 100));
    assert_eq!(ran, ["before", "inside"]);
    let queued = after(&[lock("y", &[me()]), lock("x", &[me()]), call("x", "before", false)]);
    let (ran, _) = finished(turn(&queued, &[release("y"), call("x", "inside", true)], 100));
    assert_eq!(ran, ["before", "inside"]);
}

// R2:PERF-9
#[test]
fn a_full_batch_goes_on_in_a_turn_of_its_own() {
    let messages = [call("x", "one", false), call("y", "two", false), lock("z", &[me()])];
    let (ran, end) = finished(turn(&EntityState::default(), &messages, 1));
    assert_eq!(ran, ["one"]);
    assert_eq!(sent(&end).last().unwrap(), &("@account@a".into(), "continue"));
    let (ran, end) = finished(turn(&end.state, &end.messages[1..], 1));
    assert_eq!(ran, ["two"]);
    assert_eq!(finished(turn(&end.state, &end.messages[1..], 1)).1.state.lock().unwrap().owner, owner("z"));
}

#[test]
fn an_owner_is_looked_for_once_when_somebody_begins_to_wait_and_freed_if_it_is_gone() {
    let kept = after(&[lock("x", &[me()])]);
    assert_eq!(turn(&kept, &[call("x", "add", true)], 100).doubt(), None);
    let mut waiting = turn(&kept, &[call("y", "add", false)], 100);
    assert_eq!(waiting.doubt(), Some(&owner("x")));
    waiting.learn(Presence::Gone);
    assert_eq!(waiting.doubt(), None);
    let (_, end) = finished(waiting);
    assert_eq!(sent(&end), [("@account@a".into(), "break")]);
    assert_eq!(finished(turn(&end.state, &end.messages, 100)).0, ["add"]);
    let mut live = turn(&kept, &[call("y", "add", false)], 100);
    live.learn(Presence::Live);
    assert!(sent(&finished(live).1).is_empty());
}

// R2:ENT-14
#[test]
fn a_signal_that_comes_too_early_is_sent_to_itself() {
    let due = NOW.saturating_add(Duration::from_secs(60));
    let early = message::signal(&me(), None, "add".into(), Payload::null(), Some(due), NOW);
    let (ran, end) = finished(turn(&EntityState::default(), &[early], 100));
    assert_eq!((ran.len(), end.messages[0].visible_at), (0, Some(due)));
    assert!(end.state.is_forgettable());
}

fn placed(number: u64, place: Place) -> EntityRequest {
    let TaskMessage { event, .. } = call("x", &number.to_string(), false);
    let EventKind::EntityRequested(request) = event.kind else { panic!("not a request") };
    EntityRequest { place: Some(place), ..*request }
}

// R2:ENT-44
#[test]
fn messages_that_overtook_each_other_or_came_twice_are_put_in_order_once() {
    let window = Duration::from_secs(60);
    let (mut from, mut to) = (Sorter::default(), Sorter::default());
    let requests: Vec<_> =
        (0..4).map(|number| placed(number, from.send(&me().instance(), NOW, window))).collect();
    let mut delivered = Vec::new();
    for at in [2, 0, 0, 3, 2, 1, 3, 1] {
        delivered.extend(to.receive(requests[at].clone(), window));
    }
    assert_eq!(delivered, requests);
    assert_eq!(to.buffered(), 0);
    // Long after, both have forgotten each other, and a new message waits for nothing.
    let later = NOW.saturating_add(Duration::from_secs(600));
    let place = from.send(&me().instance(), later, window);
    assert_eq!(place.after, None);
    assert_eq!(to.receive(placed(9, place), window).len(), 1);
}
