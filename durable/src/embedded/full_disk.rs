//! Tests: what a hub does that finds no room, on a file that may not grow.

use std::sync::Arc;

use futures::executor::block_on;

use super::{Durability, EmbeddedProvider, database::Place, file::FileStore, reading::FileReader};
use crate::{
    clock::Clock,
    history::{EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{ExecutionId, InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{
        Checkpoint, CheckpointTag, InstanceChange, InstanceStore, NewInstance, OrchestrationWorkItem,
        ProviderError, ProviderErrorKind, Reuse, WorkStore,
    },
};

#[derive(Default)]
struct VirtualClock(std::sync::Mutex<Option<Timestamp>>);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn skip_to(&self, due: Timestamp) -> bool {
        *self.0.lock().unwrap() = Some(due);
        true
    }
}

/// A hub that is worked, in a file that has room for so many more pages.
fn hub_with_room(name: &str, pages: i64) -> (EmbeddedProvider, Arc<Place>) {
    let path = std::env::temp_dir().join(format!("durable-{}-{name}.db", std::process::id()));
    let place = Arc::new(Place::new(&path, Durability::Full).unwrap());
    place.remove().unwrap();
    let mut store = FileStore::new(place.clone(), None);
    let connection = store.connection().unwrap();
    let used: i64 = connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", used + pages).unwrap();
    let reader = Box::new(FileReader(place.clone()));
    let clock = Arc::new(VirtualClock::default());
    let hub = EmbeddedProvider::start(Box::new(store), reader, clock, name.into()).unwrap();
    block_on(hub.begin_work()).unwrap();
    (hub, place)
}

fn start(hub: &EmbeddedProvider, id: &str, input: usize) -> Result<(), ProviderError> {
    let started = ExecutionStarted {
        name: "orchestrate".into(),
        version: None,
        input: Payload::of(&"x".repeat(input)).unwrap(),
        instance: InstanceId::new(id).unwrap(),
        execution: ExecutionId::new("first"),
        generation: 0,
        tags: Default::default(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: 0,
    };
    let new = NewInstance { started, at: Timestamp::UNIX_EPOCH, reuse: Reuse::Never };
    block_on(hub.create_instance(new)).map(drop)
}

fn running(item: &OrchestrationWorkItem, events: Vec<HistoryEvent>) -> Checkpoint {
    Checkpoint {
        execution: item.execution.clone(),
        tag: CheckpointTag(1),
        events,
        replaces: false,
        is_forgettable: false,
        orphans: Vec::new(),
        activities: Vec::new(),
        messages: Vec::<TaskMessage>::new(),
        cancelled_timers: Vec::new(),
        change: InstanceChange {
            status: RuntimeStatus::Running,
            custom_status: None,
            output: None,
            failure: None,
            updated_at: Timestamp::UNIX_EPOCH,
        },
    }
}

fn remove(place: &Place) {
    place.remove().unwrap();
    std::fs::remove_file(place.beside(".lock")).unwrap();
}

#[test]
fn what_finds_no_room_is_refused_and_nothing_acknowledged_is_lost() {
    let (hub, place) = hub_with_room("starts", 12);
    start(&hub, "a", 10).unwrap();
    let error = start(&hub, "large", 100_000).unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Full);
    assert!(error.is_transient());
    start(&hub, "b", 10).unwrap();
    let known = |id: &str| block_on(hub.read_state(&InstanceId::new(id).unwrap())).unwrap().is_some();
    assert_eq!([known("a"), known("large"), known("b")], [true, false, true]);
    assert_eq!(block_on(hub.fetch_orchestrations(5)).unwrap().len(), 2);
    drop(hub);
    remove(&place);
}

#[test]
fn an_item_whose_checkpoint_found_no_room_comes_again_later_and_not_as_poison() {
    let (hub, place) = hub_with_room("checkpoints", 12);
    start(&hub, "a", 10).unwrap();
    let item = block_on(hub.fetch_orchestrations(1)).unwrap().remove(0);
    let large = EventKind::ExecutionSuspended { reason: "x".repeat(100_000) };
    let checkpoint = running(&item, vec![HistoryEvent::new(Timestamp::UNIX_EPOCH, large)]);
    let error = block_on(hub.checkpoint(item.clone(), checkpoint)).unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Full);

    let again = block_on(hub.fetch_orchestrations(1)).unwrap().remove(0);
    assert_eq!((&again.messages, again.attempt, again.past), (&item.messages, 1, item.past));
    assert!(hub.shared.clock.now() > Timestamp::UNIX_EPOCH);
    let checkpoint = running(&again, Vec::new());
    block_on(hub.checkpoint(again, checkpoint)).unwrap();
    drop(hub);
    remove(&place);
}
