//! Critical sections from the orchestrator's side: order, rules, and what is owed at the end.

use durable::{
    entity::{LockRule, Sections},
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, RequestBody, TaskMessage},
    model::{EntityId, ExecutionId, Failure, FailureKind, InstanceId, Payload, Timestamp},
};

fn entity(key: &str) -> EntityId {
    EntityId::new("Account", key).unwrap()
}

fn started() -> ExecutionStarted {
    ExecutionStarted {
        name: "transfer".into(),
        version: None,
        input: Payload::null(),
        instance: InstanceId::new("order-17").unwrap(),
        execution: ExecutionId::new("first"),
        generation: 0,
        tags: std::collections::BTreeMap::new(),
        scheduled_start: None,
        parent: None,
        retention: None,
        behaviour: 0,
    }
}

const SECTION: EventId = EventId::FIRST;

/// Sections in which `keys` are locked; the lock is granted or not.
fn locked(keys: &[&str], is_granted: bool) -> Sections {
    let mut sections = Sections::default();
    let kind = sections.lock(keys.iter().map(|key| entity(key))).unwrap();
    sections.observe(SECTION, &kind);
    if is_granted {
        sections.observe(EventId::NONE, &EventKind::EntityLockGranted { task: SECTION });
    }
    sections
}

fn call(key: &str) -> EventKind {
    let operation = "get".into();
    EventKind::EntityOperationCalled {
        entity: entity(key),
        operation,
        input: Payload::null(),
        section: Some(SECTION),
    }
}

/// Whom the messages release, and along which path.
fn released(messages: &[TaskMessage]) -> Vec<(String, usize)> {
    let release = |message: &TaskMessage| match &message.event.kind {
        EventKind::EntityRequested(request) => match &request.body {
            RequestBody::Release(release) => (message.instance.to_string(), release.path.len()),
            other => panic!("not a release: {other:?}"),
        },
        other => panic!("not for an entity: {}", other.name()),
    };
    messages.iter().map(release).collect()
}

// R2:ENT-67; DECISIONS 13
#[test]
fn a_set_is_sorted_and_each_entity_locked_once() {
    let kind = Sections::default().lock([entity("b"), entity("a"), entity("b")]).unwrap();
    assert_eq!(kind, EventKind::EntityLockRequested { entities: vec![entity("a"), entity("b")] });
}

// R2:ENT-48
#[test]
fn nothing_cannot_be_locked() {
    assert_eq!(Sections::default().lock([]), Err(LockRule::Empty));
}

// R2:ENT-60 to R2:ENT-65
#[test]
fn each_rule_that_is_broken_is_named_in_words() {
    let mut sections = locked(&["a", "b"], true);
    let broken: [(Result<(), LockRule>, &str); 4] = [
        (sections.lock([entity("c")]).map(drop), "nested"),
        (sections.may_call_orchestration("refund"), "sub-orchestration"),
        (sections.may_call(SECTION, &entity("c")), "`@account@c` is not among the locked ones"),
        (sections.may_signal(SECTION, &entity("a")), "cannot be signalled"),
    ];
    for (result, words) in broken {
        let failure = Failure::from(result.unwrap_err());
        assert!(failure.message().contains(words), "{failure}");
        assert_eq!(failure.error_type(), "LockingRulesViolation");
        assert!(!failure.is_retriable());
    }
    assert_eq!(sections.may_signal(SECTION, &entity("c")), Ok(()));
    sections.observe(EventId::from_i32(1), &call("a"));
    assert_eq!(sections.may_call(SECTION, &entity("a")), Err(LockRule::Parallel(entity("a"))));
    assert_eq!(sections.may_call(SECTION, &entity("b")), Ok(()));
    let answer = EventKind::EntityOperationCompleted { task: EventId::from_i32(1), result: Payload::null() };
    sections.observe(EventId::NONE, &answer);
    assert_eq!(sections.may_call(SECTION, &entity("a")), Ok(()));
}

// R2:ENT-51, R2:ENT-69
#[test]
fn an_end_releases_what_is_held_directly_and_what_is_asked_for_along_its_path() {
    let at = Timestamp::UNIX_EPOCH;
    let held = locked(&["b", "a"], true).releases(&started(), at);
    assert_eq!(released(&held), [("@account@a".into(), 0), ("@account@b".into(), 0)]);
    let requested = locked(&["c", "b", "a"], false).releases(&started(), at);
    assert_eq!(released(&requested), [("@account@a".into(), 2)]);
    assert!(Sections::default().releases(&started(), at).is_empty());
}

#[test]
fn a_section_that_was_given_up_owes_nothing_and_the_next_may_begin() {
    let mut sections = locked(&["a"], false);
    let unlock = sections.unlock(SECTION).unwrap();
    assert_eq!(
        unlock,
        EventKind::EntityUnlockSent { section: SECTION, entities: vec![entity("a")], held: false }
    );
    sections.observe(EventId::from_i32(1), &unlock);
    // The answer that crossed it changes nothing.
    sections.observe(EventId::NONE, &EventKind::EntityLockGranted { task: SECTION });
    assert!(sections.is_empty());
    assert!(sections.releases(&started(), Timestamp::UNIX_EPOCH).is_empty());
    assert!(sections.lock([entity("b")]).is_ok());
}

// R2:ENT-68
#[test]
fn a_history_gives_the_same_sections_as_the_session_that_wrote_it() {
    let kinds = [
        EventKind::EntityLockRequested { entities: vec![entity("a"), entity("b")] },
        EventKind::EntityLockGranted { task: SECTION },
        call("a"),
    ];
    let history: Vec<_> = (0..)
        .zip(kinds)
        .map(|(id, kind)| {
            let id = if kind.is_message() { EventId::NONE } else { EventId::from_i32(id) };
            HistoryEvent::action(id, Timestamp::UNIX_EPOCH, kind)
        })
        .collect();
    let sections = Sections::of(&history);
    assert_eq!(sections.may_call(SECTION, &entity("a")), Err(LockRule::Parallel(entity("a"))));
    assert_eq!(sections.may_call(SECTION, &entity("b")), Ok(()));
}

#[test]
fn after_a_rewind_a_section_is_no_longer_alone_and_says_so() {
    let mut sections = locked(&["a"], true);
    sections.observe(EventId::NONE, &EventKind::ExecutionRewound { reason: String::new() });
    assert_eq!(sections.may_call(SECTION, &entity("a")), Err(LockRule::Lost));
    assert!(sections.releases(&started(), Timestamp::UNIX_EPOCH).is_empty());
    assert_eq!(
        Failure::from(LockRule::Lost),
        Failure::of_kind(FailureKind::LockingRules, "LockingRulesViolation", LockRule::Lost.to_string())
    );
}
