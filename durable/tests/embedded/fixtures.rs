//! Hubs to test on, and short words for what a worker does.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use durable::{
    clock::{Clock, SystemClock},
    embedded::{EmbeddedProvider, Options},
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, Rest, TaskMessage, TimerPurpose},
    model::{Attempt, ExecutionId, InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{
        ActivityWorkItem, Checkpoint, CheckpointTag, InstanceChange, InstanceStore, NewInstance,
        OrchestrationWorkItem, ProviderError, ProviderErrorKind, Reuse, WorkStore,
    },
};
pub(crate) use futures::executor::block_on;

/// A folder of its own for each test, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("durable-embedded-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("hub.db")
    }

    pub(crate) fn open(&self) -> EmbeddedProvider {
        self.open_with(Arc::new(SystemClock))
    }

    pub(crate) fn open_with(&self, clock: Arc<dyn Clock>) -> EmbeddedProvider {
        EmbeddedProvider::open(&self.file(), Options { clock, ..Options::default() }).unwrap()
    }

    /// A provider that works the hub.
    pub(crate) fn work(&self) -> EmbeddedProvider {
        let provider = self.open();
        block_on(provider.begin_work()).unwrap();
        provider
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a test on a hub in memory and on one in a file, both being worked.
pub(crate) fn on_both(test: impl Fn(&EmbeddedProvider)) {
    on_both_with(|| Arc::new(SystemClock), test);
}

pub(crate) fn on_both_with<C: Clock>(clock: impl Fn() -> Arc<C>, test: impl Fn(&EmbeddedProvider)) {
    let memory = EmbeddedProvider::in_memory(clock()).unwrap();
    block_on(memory.begin_work()).unwrap();
    test(&memory);
    let folder = Folder::new();
    let file = folder.open_with(clock());
    block_on(file.begin_work()).unwrap();
    test(&file);
}

/// A clock that stands still until the hub moves it.
#[derive(Default)]
pub(crate) struct VirtualClock(Mutex<Option<Timestamp>>);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn skip_to(&self, due: Timestamp) -> bool {
        *self.0.lock().unwrap() = Some(due);
        true
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_microseconds(seconds * 1_000_000)
}

pub(crate) fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

pub(crate) fn started(instance: &str, execution: &str) -> ExecutionStarted {
    ExecutionStarted {
        name: "orchestrate".into(),
        version: Some("2".into()),
        input: json("[1, 2.0]"),
        instance: id(instance),
        execution: ExecutionId::new(execution),
        generation: 0,
        tags: [("colour".to_owned(), "red".to_owned())].into(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: 1,
    }
}

pub(crate) fn new_instance(instance: &str) -> NewInstance {
    NewInstance { started: started(instance, "first"), at: at(1), reuse: Reuse::WhenEnded }
}

pub(crate) fn create(provider: &EmbeddedProvider, instance: &str) {
    block_on(provider.create_instance(new_instance(instance))).unwrap();
}

pub(crate) fn event(kind: EventKind) -> HistoryEvent {
    HistoryEvent::new(at(2), kind)
}

pub(crate) fn raised(name: &str) -> EventKind {
    EventKind::EventRaised { name: name.into(), input: Payload::null() }
}

pub(crate) fn message(instance: &str, kind: EventKind) -> TaskMessage {
    TaskMessage { instance: id(instance), execution: None, event: event(kind), visible_at: None }
}

pub(crate) fn scheduled(number: i32) -> HistoryEvent {
    let kind = EventKind::TaskScheduled {
        name: "act".into(),
        version: None,
        input: json("7"),
        attempt: Attempt::ONLY,
    };
    HistoryEvent::action(EventId::from_i32(number), at(2), kind)
}

pub(crate) fn timer(number: i32, due: i64) -> HistoryEvent {
    HistoryEvent::action(
        EventId::from_i32(number),
        at(2),
        EventKind::TimerCreated { fire_at: at(due), purpose: TimerPurpose::Sleep },
    )
}

pub(crate) fn completed(number: i32) -> HistoryEvent {
    event(EventKind::TaskCompleted { task: EventId::from_i32(number), result: json("8") })
}

/// The next instance with news.
pub(crate) fn fetch(provider: &EmbeddedProvider) -> OrchestrationWorkItem {
    let mut items = block_on(provider.fetch_orchestrations(1)).unwrap();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

pub(crate) fn fetch_activity(provider: &EmbeddedProvider) -> ActivityWorkItem {
    let mut items = block_on(provider.fetch_activities(1)).unwrap();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// The number of the action whose activity is handed out next.
pub(crate) fn next_activity(provider: &EmbeddedProvider) -> i32 {
    fetch_activity(provider).scheduled.id.as_i32()
}

/// The names of an item's messages.
pub(crate) fn news(item: &OrchestrationWorkItem) -> Vec<String> {
    let name = |message: &TaskMessage| match &message.event.kind {
        EventKind::EventRaised { name, .. } => name.as_str().to_owned(),
        kind => kind.name().to_owned(),
    };
    item.messages.iter().map(name).collect()
}

/// An episode that records its messages and `actions`, and dispatches them.
pub(crate) fn episode(
    item: &OrchestrationWorkItem,
    status: RuntimeStatus,
    actions: Vec<HistoryEvent>,
) -> Checkpoint {
    static TAGS: AtomicU64 = AtomicU64::new(1);
    let begun = started(item.instance.as_str(), item.execution.as_str());
    let mut events = vec![event(EventKind::OrchestratorStarted)];
    events.extend(item.messages.iter().map(|message| message.event.clone()));
    events.extend(actions.iter().cloned());
    events.push(event(EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() }));
    Checkpoint {
        execution: item.execution.clone(),
        tag: CheckpointTag(TAGS.fetch_add(1, Ordering::Relaxed)),
        events,
        messages: actions.iter().filter_map(|action| TaskMessage::timer(&begun, action)).collect(),
        replaces: false,
        is_forgettable: false,
        orphans: Vec::new(),
        activities: actions
            .into_iter()
            .filter(|action| matches!(action.kind, EventKind::TaskScheduled { .. }))
            .collect(),
        cancelled_timers: Vec::new(),
        change: InstanceChange {
            status,
            custom_status: None,
            output: None,
            failure: None,
            updated_at: at(3),
        },
    }
}

/// Fetches the next instance and lets it ask for `actions`.
pub(crate) fn step(provider: &EmbeddedProvider, actions: Vec<HistoryEvent>) {
    let item = fetch(provider);
    let checkpoint = episode(&item, RuntimeStatus::Running, actions);
    block_on(provider.checkpoint(item, checkpoint)).unwrap();
}

/// Fetches the next instance and ends it.
pub(crate) fn finish(provider: &EmbeddedProvider) {
    let item = fetch(provider);
    let mut checkpoint = episode(&item, RuntimeStatus::Completed, Vec::new());
    checkpoint.change.output = Some(json("\"done\""));
    block_on(provider.checkpoint(item, checkpoint)).unwrap();
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, ProviderError>) -> ProviderErrorKind {
    outcome.unwrap_err().kind
}
