//! What every case is written in: hubs, instances, episodes, and what may be ready.
//!
//! Speaks to the provider only through its contract. An error that a case does not ask about ends
//! it here. Begin with [`Stage`].

use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use durable::{
    history::{BEHAVIOUR, EventKind, ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{ExecutionId, InstanceId, InstanceState, Payload, Timestamp},
    provider::{
        ActivityWorkItem, NewInstance, OrchestrationWorkItem, ProviderError, ProviderErrorKind, Reuse,
    },
};
use futures::future::{Either, select};

use super::{Hub, ProviderFactory};

/// Where one case plays.
pub(crate) struct Stage<'a> {
    pub(crate) factory: &'a dyn ProviderFactory,
}

impl Stage<'_> {
    /// A fresh hub that is made, and that nobody works.
    pub(crate) async fn hub(&self) -> Hub {
        let hub = self.factory.fresh();
        hub.provider.create().await.expect("a fresh hub can be made");
        hub
    }

    /// A fresh hub that this process works.
    pub(crate) async fn worked_hub(&self) -> Hub {
        let hub = self.hub().await;
        hub.provider.begin_work().await.expect("a fresh hub can be worked");
        hub
    }

    /// The hub after its process died, worked by the next one.
    pub(crate) async fn restarted(&self, hub: Hub) -> Hub {
        let hub = self.factory.reopen(hub).expect("a factory that claims `Restart` can reopen");
        hub.provider.create().await.expect("a hub that exists can be made again");
        hub.provider.begin_work().await.expect("a dead process holds no hub");
        hub
    }

    pub(crate) fn moment(&self) -> Duration {
        self.factory.moment()
    }
}

/// What a worker may be handed.
#[derive(Debug)]
pub(crate) enum Work {
    Orchestration(OrchestrationWorkItem),
    Activity(ActivityWorkItem),
}

/// A number that no two calls in this process get.
pub(crate) fn unique() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

pub(crate) fn id(text: &str) -> InstanceId {
    InstanceId::new(text).expect("the cases use well-formed ids")
}

pub(crate) fn json(value: impl serde::Serialize) -> Payload {
    Payload::of(&value).expect("the cases use values that JSON can hold")
}

/// A start of `instance`, with an execution id of its own.
pub(crate) fn start_of(instance: &str, at: Timestamp) -> NewInstance {
    let started = ExecutionStarted {
        name: "greet".into(),
        version: None,
        input: json("Ada"),
        instance: id(instance),
        execution: ExecutionId::new(format!("{:032x}", unique())),
        generation: 0,
        tags: Default::default(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    };
    NewInstance { started, at, reuse: Reuse::WhenEnded }
}

/// An external event for `instance` that carries `number`.
pub(crate) fn event(instance: &str, number: u64, at: Timestamp) -> TaskMessage {
    let kind = EventKind::EventRaised { name: "Number".into(), input: json(number) };
    let event = HistoryEvent::new(at, kind);
    TaskMessage { instance: id(instance), execution: None, event, visible_at: None }
}

/// The numbers of the events among `messages`, in their order.
pub(crate) fn numbers(messages: &[TaskMessage]) -> Vec<u64> {
    let number = |message: &TaskMessage| match &message.event.kind {
        EventKind::EventRaised { input, .. } => input.read().ok(),
        _ => None,
    };
    messages.iter().filter_map(number).collect()
}

/// The names of the events that `messages` bring.
pub(crate) fn names(messages: &[TaskMessage]) -> Vec<&'static str> {
    messages.iter().map(|message| message.event.kind.name()).collect()
}

/// Insists on an error of that kind.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, ProviderError>, kind: &ProviderErrorKind) {
    match result {
        Ok(value) => panic!("expected `{kind}`, and it succeeded: {value:?}"),
        Err(error) => assert_eq!(&error.kind, kind, "{error}"),
    }
}

impl Hub {
    pub(crate) fn now(&self) -> Timestamp {
        self.provider.clock().now()
    }

    /// Creates an instance.
    pub(crate) async fn create(&self, instance: &str) -> InstanceState {
        let new = start_of(instance, self.now());
        self.provider.create_instance(new).await.expect("the id is free")
    }

    /// Raises an event.
    pub(crate) async fn raise(&self, instance: &str, number: u64) {
        let message = event(instance, number, self.now());
        self.provider.send(message).await.expect("the instance takes messages");
    }

    /// The next work item, whichever it is.
    pub(crate) async fn fetch(&self) -> OrchestrationWorkItem {
        let mut items = self.provider.fetch_orchestrations(1).await.expect("work can be fetched");
        assert_eq!(items.len(), 1, "asked for one item while work goes on");
        items.remove(0)
    }

    /// The next work item, which must be of `instance`.
    pub(crate) async fn fetch_of(&self, instance: &str) -> OrchestrationWorkItem {
        let item = self.fetch().await;
        assert_eq!(item.instance.as_str(), instance, "another instance was ready");
        item
    }

    /// The next activity, whichever it is.
    pub(crate) async fn fetch_activity(&self) -> ActivityWorkItem {
        let mut items = self.provider.fetch_activities(1).await.expect("work can be fetched");
        assert_eq!(items.len(), 1, "asked for one activity while work goes on");
        items.remove(0)
    }

    /// Whichever comes first.
    pub(crate) async fn fetch_next(&self) -> Work {
        let (orchestration, activity) = (pin!(self.fetch()), pin!(self.fetch_activity()));
        match select(orchestration, activity).await {
            Either::Left((item, _)) => Work::Orchestration(item),
            Either::Right((item, _)) => Work::Activity(item),
        }
    }

    /// Completes an activity with `result`.
    pub(crate) async fn complete(&self, item: ActivityWorkItem, result: u64) {
        let kind = EventKind::TaskCompleted { task: item.scheduled.id, result: json(result) };
        let result = HistoryEvent::new(self.now(), kind);
        self.provider.complete_activity(item, result).await.expect("a held activity can be completed");
    }

    /// Creates `instance` and takes it through its first episode, which asks for nothing.
    pub(crate) async fn begin(&self, instance: &str) {
        self.create(instance).await;
        let item = self.fetch_of(instance).await;
        self.episode(item).saved().await;
    }

    /// Creates `instance`, and ends it in its first episode.
    pub(crate) async fn begin_and_end(&self, instance: &str) {
        self.create(instance).await;
        let item = self.fetch_of(instance).await;
        self.episode(item).completes(0).saved().await;
    }

    /// Gathers messages of `instance`, an empty episode each time, until `count` have come.
    pub(crate) async fn gather(&self, instance: &str, count: usize) -> Vec<TaskMessage> {
        let mut gathered = Vec::new();
        while gathered.len() < count {
            let item = self.fetch_of(instance).await;
            gathered.extend(item.messages.iter().cloned());
            self.episode(item).saved().await;
        }
        gathered
    }

    pub(crate) async fn state(&self, instance: &str) -> InstanceState {
        let state = self.provider.read_state(&id(instance)).await.expect("the store can be read");
        state.expect("the instance exists")
    }

    pub(crate) async fn history(&self, instance: &str) -> History {
        self.provider.read_history(&id(instance)).await.expect("the history can be read")
    }

    /// Insists that no orchestration is ready: one that is made now is the only one that comes.
    pub(crate) async fn insist_on_no_more_work(&self) {
        let marker = format!("marker-{}", unique());
        self.create(&marker).await;
        let items = self.provider.fetch_orchestrations(64).await.expect("work can be fetched");
        let found: Vec<_> = items.iter().map(|item| item.instance.as_str()).collect();
        assert_eq!(found, [marker], "work was handed out that there is no reason for: {items:?}");
        for item in items {
            self.episode(item).completes(0).saved().await;
        }
    }

    /// Insists that no activity is ready: one that is called now is the only one that comes.
    pub(crate) async fn insist_on_no_more_activities(&self) {
        let marker = format!("marker-{}", unique());
        self.create(&marker).await;
        let item = self.fetch_of(&marker).await;
        self.episode(item).calls(0, "marker").saved().await;
        let items = self.provider.fetch_activities(64).await.expect("work can be fetched");
        let found: Vec<_> = items.iter().map(|item| item.instance.as_str()).collect();
        assert_eq!(found, [marker.as_str()], "activities were handed out that nobody asked for: {items:?}");
        for item in items {
            self.complete(item, 0).await;
        }
        let item = self.fetch_of(&marker).await;
        self.episode(item).completes(1).saved().await;
    }
}
