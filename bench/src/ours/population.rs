//! Many ended instances for `instances`, made through the store's own contract, without a worker: they are not
//! what is measured.
//!
//! Each has called two activities, so that its history has three rows. Begin with [`make`].

use std::time::Duration;

use durable::{
    embedded::EmbeddedProvider,
    history::{BEHAVIOUR, EventId, EventKind, ExecutionStarted, HistoryEvent},
    model::{ExecutionId, InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{
        ActivityWorkItem, Checkpoint, CheckpointTag, InstanceChange, InstanceStore, NewInstance,
        OrchestrationWorkItem, ProviderError, Reuse, WorkStore,
    },
};
use futures::future::try_join_all;

/// How many instances are made at once.
const AT_ONCE: u64 = 4_000;
/// How many activities each calls, one after the other.
const CALLS: i32 = 2;

/// When the instance with this number was created.
pub(super) fn created(number: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(number))
}

/// Makes instances, ten names in turn, of which one in a hundred has failed and one in a thousand was
/// terminated.
pub(super) async fn make(hub: &EmbeddedProvider, count: u64) -> Result<(), ProviderError> {
    hub.begin_work().await?;
    for first in (0..count).step_by(AT_ONCE as usize) {
        let numbers = first..count.min(first + AT_ONCE);
        let made = usize::try_from(numbers.end - first).unwrap_or(usize::MAX);
        try_join_all(numbers.map(|number| hub.create_instance(start_of(number)))).await?;
        for step in 0..=CALLS {
            let mut gone_on = 0;
            while gone_on < made {
                let items = hub.fetch_orchestrations(made).await?;
                gone_on += items.len();
                try_join_all(items.into_iter().map(|item| go_on(hub, item, step))).await?;
            }
            let mut answered = 0;
            while step < CALLS && answered < made {
                let items = hub.fetch_activities(made).await?;
                answered += items.len();
                try_join_all(items.into_iter().map(|item| answer(hub, item))).await?;
            }
        }
    }
    hub.end_work().await;
    Ok(())
}

fn start_of(number: u64) -> NewInstance {
    let tags = [("shop", number % 1000), ("half", number % 2), ("other", number % 2)];
    let order = serde_json::json!({
        "order": number, "customer": format!("customer-{:05}", number % 10_007), "currency": "EUR",
        "lines": [{"article": number % 977, "count": 2, "cents": 1999}, {"article": number % 89, "count": 1, "cents": 499}],
    });
    let started = ExecutionStarted {
        name: format!("kind-{}", number % 10).into(),
        version: None,
        input: Payload::of(&order).expect("an object is JSON"),
        instance: InstanceId::new(format!("order-{number:07}")).expect("a plain word is an instance id"),
        execution: ExecutionId::new(format!("{number:032x}")),
        generation: 0,
        tags: tags.into_iter().map(|(tag, value)| (tag.to_owned(), value.to_string())).collect(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    };
    NewInstance { started, at: created(number), reuse: Reuse::Never }
}

/// One episode: the call of an activity, or after the last the end.
async fn go_on(hub: &EmbeddedProvider, item: OrchestrationWorkItem, step: i32) -> Result<(), ProviderError> {
    let number: u64 = item.instance.as_str().trim_start_matches("order-").parse().unwrap_or(0);
    let at = created(number);
    let id = EventId::from_i32(step);
    let mut events = vec![HistoryEvent::new(at, EventKind::OrchestratorStarted)];
    events.extend(item.messages.iter().map(|message| message.event.clone()));
    let is_over = step == CALLS;
    let status = if is_over { end_of(number) } else { RuntimeStatus::Running };
    let output = is_over.then(|| text("the order has been sent"));
    let mut activities = Vec::new();
    if let Some(result) = output.clone() {
        let end = EventKind::ExecutionCompleted { status, result, failure: None };
        events.push(HistoryEvent::action(id, at, end));
    } else {
        let name = format!("step-{step}").into();
        let input = text("what the step is to do");
        let call = EventKind::TaskScheduled { name, version: None, input, attempt: Default::default() };
        activities.push(HistoryEvent::action(id, at, call));
        events.extend(activities.iter().cloned());
    }
    let rest = EventKind::OrchestratorCompleted { digest: Some(number), rest: Default::default() };
    events.push(HistoryEvent::new(at, rest));
    let change = InstanceChange { status, custom_status: None, output, failure: None, updated_at: at };
    let checkpoint = Checkpoint {
        execution: item.execution.clone(),
        tag: CheckpointTag(number),
        events,
        activities,
        messages: Vec::new(),
        cancelled_timers: Vec::new(),
        replaces: false,
        is_forgettable: false,
        orphans: Vec::new(),
        change,
    };
    hub.checkpoint(item, checkpoint).await
}

async fn answer(hub: &EmbeddedProvider, item: ActivityWorkItem) -> Result<(), ProviderError> {
    let at = item.scheduled.timestamp;
    let result = EventKind::TaskCompleted { task: item.scheduled.id, result: text("the step has been done") };
    hub.complete_activity(item, HistoryEvent::new(at, result)).await
}

fn end_of(number: u64) -> RuntimeStatus {
    match number % 1000 {
        999 => RuntimeStatus::Terminated,
        rest if rest % 100 == 9 => RuntimeStatus::Failed,
        _ => RuntimeStatus::Completed,
    }
}

fn text(text: &str) -> Payload {
    Payload::of(&text).expect("a text is JSON")
}
