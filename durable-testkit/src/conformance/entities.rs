//! Entities: begun by their first message, kept by their turns, no orchestrations. How they are found stands in
//! `entity_pages.rs`.
//!
//! What an entity keeps is the engine's; here it is any value.

use std::{collections::BTreeMap, sync::Barrier};

use durable::{
    entity::{EntityState, TurnEnd, message},
    episode,
    history::{EventKind, ExecutionStarted, RequestBody, TaskMessage},
    model::{EntityId, Payload, Timestamp},
    provider::{
        Checkpoint, CheckpointTag, EntityQuery, InstanceFilter, InstanceQuery, OrchestrationWorkItem,
        ProviderError,
    },
};

use super::{
    Hub,
    fixtures::{Stage, json, unique},
};

pub(super) fn entity(name: &str, key: &str) -> EntityId {
    EntityId::new(name, key).expect("the cases use well-formed entities")
}

/// A signal that carries `number`.
fn signal(entity: &EntityId, number: u64, at: Timestamp) -> TaskMessage {
    message::signal(entity, None, "add".into(), json(number), None, at)
}

/// The numbers of the signals that an item brings, in their order.
fn signals(item: &OrchestrationWorkItem) -> Vec<u64> {
    let number = |message: &TaskMessage| match &message.event.kind {
        EventKind::EntityRequested(request) => match &request.body {
            RequestBody::Operation(asked) => asked.input.read().ok(),
            _ => None,
        },
        _ => None,
    };
    item.messages.iter().filter_map(number).collect()
}

/// The checkpoint of a turn after which `kept` is the entity's state, and `messages` are sent.
pub(super) fn turn(
    item: &OrchestrationWorkItem,
    kept: Option<Payload>,
    messages: Vec<TaskMessage>,
    now: Timestamp,
) -> Checkpoint {
    let entity = EntityId::of_instance(&item.instance).expect("the item is an entity's");
    let mut state = EntityState::default();
    (state.state, state.last_modified) = (kept, Some(now));
    let mut end = TurnEnd { state, messages };
    episode::turn(&entity, &mut end, now, CheckpointTag(unique())).expect("JSON can hold it")
}

impl Hub {
    pub(crate) async fn signal(&self, entity: &EntityId, number: u64) {
        let message = signal(entity, number, self.now());
        self.provider.send(message).await.expect("an entity takes messages");
    }

    /// Saves the turn of an entity that sends nothing.
    pub(crate) async fn keep(&self, item: OrchestrationWorkItem, kept: Option<u64>) {
        self.keep_and_send(item, kept, Vec::new()).await.expect("a held item can be checkpointed");
    }

    async fn keep_and_send(
        &self,
        item: OrchestrationWorkItem,
        kept: Option<u64>,
        messages: Vec<TaskMessage>,
    ) -> Result<(), ProviderError> {
        let checkpoint = turn(&item, kept.map(json), messages, self.now());
        self.provider.checkpoint(item, checkpoint).await
    }

    /// Signals an entity, and keeps `kept` of it.
    pub(crate) async fn begin_entity(&self, entity: &EntityId, kept: u64) {
        self.signal(entity, 0).await;
        let item = self.fetch_of(entity.as_str()).await;
        self.keep(item, Some(kept)).await;
    }

    /// The signals to `entity`, turn by turn, until there are `count`.
    async fn gather_signals(&self, entity: &EntityId, count: usize) -> Vec<u64> {
        let mut gathered = Vec::new();
        while gathered.len() < count {
            let item = self.fetch_of(entity.as_str()).await;
            gathered.extend(signals(&item));
            self.keep(item, Some(0)).await;
        }
        gathered
    }

    /// The signals that are ready, entity by entity; there may be none.
    async fn ready_signals(&self) -> BTreeMap<String, Vec<u64>> {
        let marker = format!("marker-{}", unique());
        self.create(&marker).await;
        let mut ready = BTreeMap::new();
        for item in self.provider.fetch_orchestrations(64).await.expect("work can be fetched") {
            if item.instance.as_str() == marker {
                self.episode(item).completes(0).saved().await;
            } else {
                ready.insert(item.instance.as_str().to_owned(), signals(&item));
                self.keep(item, None).await;
            }
        }
        ready
    }

    /// The state that the history of an item in hand holds.
    async fn state_behind(&self, item: &OrchestrationWorkItem) -> Option<Payload> {
        let history = self.provider.load_history(item).await.expect("the item is held");
        EntityState::of(&history).expect("it is what a turn has kept").state
    }
}

// R2:ENT-41
pub(super) async fn a_message_begins_its_entity(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    hub.signal(&a, 1).await;
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(item.execution, ExecutionStarted::of_entity(&a).execution);
    assert_eq!(signals(&item), [1]);
    assert_eq!(hub.state_behind(&item).await, None);
    hub.keep(item, Some(7)).await;
    hub.signal(&a, 2).await;
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!((signals(&item), hub.state_behind(&item).await), (vec![2], Some(json(7))));
    hub.keep(item, Some(8)).await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn an_episode_begins_the_entities_it_sends_to(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (one, other) = (entity("counter", "one"), entity("counter", "other"));
    let now = hub.now();
    let episode = hub.episode(item).sends(signal(&one, 1, now)).sends(signal(&other, 2, now));
    episode.sends(signal(&one, 3, now)).completes(0).saved().await;
    let brought = hub.ready_signals().await;
    let expected = [(one.to_string(), vec![1, 3]), (other.to_string(), vec![2])];
    assert_eq!(brought, BTreeMap::from(expected));
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_turn_begins_the_entities_it_sends_to(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let (a, b) = (entity("counter", "a"), entity("counter", "b"));
    hub.signal(&a, 1).await;
    let item = hub.fetch_of(a.as_str()).await;
    let (to_b, to_itself) = (signal(&b, 2, hub.now()), signal(&a, 3, hub.now()));
    hub.keep_and_send(item, Some(1), vec![to_b, to_itself]).await.expect("the item is held");
    let brought = hub.ready_signals().await;
    assert_eq!(brought, BTreeMap::from([(a.to_string(), vec![3]), (b.to_string(), vec![2])]));
}

pub(super) async fn of_racing_first_messages_none_is_lost(stage: Stage<'_>) {
    const RACERS: u64 = 8;
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    let start = Barrier::new(RACERS as usize);
    std::thread::scope(|scope| {
        for number in 0..RACERS {
            let (hub, start, a) = (&hub, &start, &a);
            scope.spawn(move || {
                start.wait();
                futures::executor::block_on(hub.signal(a, number));
            });
        }
    });
    let mut all = hub.gather_signals(&a, RACERS as usize).await;
    all.sort_unstable();
    assert_eq!(all, (0..RACERS).collect::<Vec<_>>());
    hub.insist_on_no_more_work().await;
}

// R3:ENT-20
pub(super) async fn an_entity_gets_the_messages_of_each_sender_in_order(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    hub.create("sender").await;
    for round in 0..10 {
        let item = hub.fetch_of("sender").await;
        let mut episode = hub.episode(item);
        for number in 0..5 {
            episode = episode.sends(signal(&a, 1_000 + round * 5 + number, hub.now()));
        }
        // It gets its next item by this.
        episode.sends(super::fixtures::event("sender", round, hub.now())).saved().await;
        for number in 0..5 {
            hub.signal(&a, round * 5 + number).await;
        }
        let of_entity = hub.fetch_until(&a).await;
        let brought = signals(&of_entity);
        let is_sorted = |numbers: Vec<u64>| numbers.is_sorted();
        assert!(is_sorted(brought.iter().copied().filter(|number| *number < 1_000).collect()), "{brought:?}");
        assert!(
            is_sorted(brought.iter().copied().filter(|number| *number >= 1_000).collect()),
            "{brought:?}"
        );
        assert_eq!(brought.len(), 10, "all that was sent in this round, and nothing of those before");
        hub.keep(of_entity, Some(round)).await;
    }
}

impl Hub {
    /// The item of `entity`; whatever comes before it is given back.
    async fn fetch_until(&self, entity: &EntityId) -> OrchestrationWorkItem {
        let mut others = Vec::new();
        let found = loop {
            let item = self.fetch().await;
            if item.instance == entity.instance() {
                break item;
            }
            others.push(item);
        };
        for item in others {
            self.provider.abandon_orchestration(item, std::time::Duration::ZERO).await.expect("it is held");
        }
        found
    }
}

// DECISIONS 5
pub(super) async fn entities_are_no_orchestrations(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    hub.begin_entity(&a, 1).await;
    hub.signal(&entity("counter", "waiting"), 1).await;
    hub.create("orchestration").await;
    assert_eq!(hub.found(InstanceQuery::new()).await, ["orchestration"]);
    assert_eq!(hub.counts().await.values().sum::<u64>(), 1);
    for item in hub.provider.fetch_orchestrations(64).await.expect("work can be fetched") {
        match EntityId::of_instance(&item.instance) {
            Some(_) => hub.keep(item, Some(2)).await,
            None => drop(hub.episode(item).completes(0).saved().await),
        }
    }
    let mut after = None;
    loop {
        let purged = hub.provider.purge_by(&InstanceFilter::new(), 10, after.as_ref()).await;
        after = purged.expect("the store can be purged").next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(hub.found(InstanceQuery::new()).await, [""; 0]);
    assert_eq!(hub.counts().await.values().sum::<u64>(), 0);
    assert_eq!(hub.entity_ids(EntityQuery::new()).await, ["@counter@a", "@counter@waiting"]);
}

// R2:ENT-14
pub(super) async fn a_message_that_is_due_later_waits_and_lets_others_pass(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    let due = hub.now().saturating_add(stage.moment());
    let later = message::signal(&a, None, "add".into(), json(2), Some(due), hub.now());
    hub.provider.send(later).await.expect("an entity takes messages");
    hub.signal(&a, 1).await;
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(signals(&item), [1], "the other is not visible yet");
    hub.keep(item, Some(1)).await;
    let item = hub.fetch_of(a.as_str()).await;
    assert!(hub.now() >= due);
    assert_eq!((signals(&item), hub.state_behind(&item).await), (vec![2], Some(json(1))));
}

pub(super) async fn what_entities_keep_and_wait_for_survives(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let (kept, out, later) =
        (entity("counter", "kept"), entity("counter", "out"), entity("counter", "later"));
    hub.begin_entity(&kept, 7).await;
    hub.signal(&out, 1).await;
    let item = hub.fetch_of(out.as_str()).await;
    let due = hub.now().saturating_add(stage.moment());
    let scheduled = message::signal(&later, None, "add".into(), json(2), Some(due), hub.now());
    hub.provider.send(scheduled).await.expect("an entity takes messages");
    drop(item);
    let hub = stage.restarted(hub).await;
    let expected = ["@counter@kept", "@counter@later", "@counter@out"];
    assert_eq!(hub.entity_ids(EntityQuery::new()).await, expected);
    let mut brought = BTreeMap::new();
    // One that only waits for something later may have a turn at once all the same.
    while brought.len() < 2 {
        let item = hub.fetch().await;
        let (instance, numbers) = (item.instance.as_str().to_owned(), signals(&item));
        assert!(hub.now() >= due || !numbers.contains(&2), "it is not due yet");
        hub.keep(item, Some(1)).await;
        brought.extend((!numbers.is_empty()).then_some((instance, numbers)));
    }
    assert_eq!(brought, BTreeMap::from([(out.to_string(), vec![1]), (later.to_string(), vec![2])]));
    hub.signal(&kept, 3).await;
    let item = hub.fetch_of(kept.as_str()).await;
    assert_eq!((signals(&item), hub.state_behind(&item).await), (vec![3], Some(json(7))));
}

// R3:ENT-8
pub(super) async fn an_entity_without_anything_to_keep_begins_anew(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    hub.begin_entity(&a, 7).await;
    hub.signal(&a, 1).await;
    let item = hub.fetch_of(a.as_str()).await;
    hub.keep(item, None).await;
    // Whether it is gone or only empty is the store's affair.
    assert!(hub.entities(EntityQuery::new()).await.iter().all(|(_, state)| state.is_none()));
    hub.insist_on_no_more_work().await;
    hub.signal(&a, 2).await;
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!((signals(&item), hub.state_behind(&item).await), (vec![2], None));
    assert_eq!(item.execution, ExecutionStarted::of_entity(&a).execution);
    hub.keep(item, Some(8)).await;
    assert_eq!(hub.entities(EntityQuery::new()).await, [(a.to_string(), Some(json(8)))]);
}

pub(super) async fn no_entity_is_forgotten_while_a_message_waits_for_it(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    hub.signal(&a, 0).await;
    let item = hub.fetch_of(a.as_str()).await;
    hub.signal(&a, 1).await;
    hub.keep(item, None).await;
    // Came while it was out.
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(signals(&item), [1]);
    let to_itself = signal(&a, 2, hub.now());
    hub.keep_and_send(item, None, vec![to_itself]).await.expect("the item is held");
    // Sent by the turn itself.
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(signals(&item), [2]);
    hub.create("other").await;
    let other = hub.fetch_of("other").await;
    hub.episode(other).sends(signal(&a, 3, hub.now())).completes(0).saved().await;
    hub.keep(item, None).await;
    // Sent by somebody else's checkpoint.
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(signals(&item), [3]);
    let due = hub.now().saturating_add(stage.moment());
    let later = message::signal(&a, None, "add".into(), json(4), Some(due), hub.now());
    hub.provider.send(later).await.expect("an entity takes messages");
    hub.keep(item, None).await;
    // Due later.
    let item = hub.fetch_of(a.as_str()).await;
    assert!(hub.now() >= due);
    assert_eq!(signals(&item), [4]);
    let due = due.saturating_add(stage.moment());
    let later = message::signal(&a, None, "add".into(), json(5), Some(due), hub.now());
    hub.keep_and_send(item, None, vec![later]).await.expect("the item is held");
    let item = hub.fetch_of(a.as_str()).await;
    assert_eq!(signals(&item), [5], "due later, and sent by the turn itself");
    hub.keep(item, None).await;
    hub.insist_on_no_more_work().await;
}

// Signals of one thread, turns of another: each signal comes once, and in order.
pub(super) async fn a_message_and_an_end_of_a_turn_race_and_the_message_is_not_lost(stage: Stage<'_>) {
    const SIGNALS: u64 = 200;
    let hub = stage.worked_hub().await;
    let a = entity("counter", "a");
    let mut brought = Vec::new();
    std::thread::scope(|scope| {
        let (sender, to) = (&hub, &a);
        scope.spawn(move || {
            futures::executor::block_on(async {
                for number in 0..SIGNALS {
                    sender.signal(to, number).await;
                }
                sender.create("last").await;
            });
        });
        let receives = async {
            loop {
                let item = hub.fetch().await;
                if item.instance.as_str() == "last" {
                    hub.episode(item).completes(0).saved().await;
                    break;
                }
                brought.extend(signals(&item));
                hub.keep(item, None).await;
            }
            brought.extend(hub.ready_signals().await.into_values().flatten());
        };
        scope.spawn(move || futures::executor::block_on(receives));
    });
    assert_eq!(brought, (0..SIGNALS).collect::<Vec<_>>());
    hub.insist_on_no_more_work().await;
}
