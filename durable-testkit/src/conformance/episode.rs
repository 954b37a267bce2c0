//! One episode as a worker would make it, without an orchestrator.
//!
//! Begin with [`Hub::episode`]; [`Episode::saved`] makes it durable.

use durable::{
    history::{EventId, EventKind, HistoryEvent, Rest, TaskMessage, TimerPurpose},
    model::{Attempt, ExecutionId, Failure, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange, OrchestrationWorkItem, ProviderError},
};

use super::{
    Hub,
    fixtures::{json, unique},
};

/// An episode that consumes all messages of an item, and asks for what its methods say.
#[must_use = "nothing is saved until `saved` or `save`"]
pub(crate) struct Episode<'a> {
    hub: &'a Hub,
    item: OrchestrationWorkItem,
    checkpoint: Checkpoint,
}

impl Hub {
    /// An episode that takes note of the item's messages, and asks for nothing.
    pub(crate) fn episode(&self, item: OrchestrationWorkItem) -> Episode<'_> {
        let now = self.now();
        let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
        events.extend(item.messages.iter().map(|message| message.event.clone()));
        let change = InstanceChange {
            status: RuntimeStatus::Running,
            custom_status: None,
            output: None,
            failure: None,
            updated_at: now,
        };
        let checkpoint = Checkpoint {
            execution: item.execution.clone(),
            tag: CheckpointTag(unique()),
            events,
            replaces: false,
            is_forgettable: false,
            activities: Vec::new(),
            orphans: Vec::new(),
            messages: Vec::new(),
            cancelled_timers: Vec::new(),
            change,
        };
        Episode { hub: self, item, checkpoint }
    }
}

impl Episode<'_> {
    fn now(&self) -> Timestamp {
        self.checkpoint.change.updated_at
    }

    fn act(&mut self, id: i32, kind: EventKind) -> HistoryEvent {
        let event = HistoryEvent::action(EventId::from_i32(id), self.now(), kind);
        self.checkpoint.events.push(event.clone());
        event
    }

    /// Calls an activity with its own number as input.
    pub(crate) fn calls(mut self, id: i32, name: &str) -> Self {
        let kind = EventKind::TaskScheduled {
            name: name.into(),
            version: None,
            input: json(id),
            attempt: Attempt::ONLY,
        };
        let scheduled = self.act(id, kind);
        self.checkpoint.activities.push(scheduled);
        self
    }

    /// Sets a timer.
    pub(crate) fn sets_timer(mut self, id: i32, fire_at: Timestamp) -> Self {
        self.act(id, EventKind::TimerCreated { fire_at, purpose: TimerPurpose::Sleep });
        let event =
            HistoryEvent::new(fire_at, EventKind::TimerFired { timer: EventId::from_i32(id), fire_at });
        let (instance, execution) = (self.item.instance.clone(), Some(self.checkpoint.execution.clone()));
        self.checkpoint.messages.push(TaskMessage { instance, execution, event, visible_at: Some(fire_at) });
        self
    }

    /// Gives up a timer.
    pub(crate) fn cancels_timer(mut self, id: i32) -> Self {
        self.checkpoint.cancelled_timers.push(EventId::from_i32(id));
        self
    }

    /// Sends a message.
    pub(crate) fn sends(mut self, message: TaskMessage) -> Self {
        self.checkpoint.messages.push(message);
        self
    }

    /// Publishes a custom status.
    pub(crate) fn publishes(mut self, status: &str) -> Self {
        self.checkpoint.change.custom_status = Some(json(status));
        self
    }

    /// After it, the instance stands at `status`.
    pub(crate) fn stands_at(mut self, status: RuntimeStatus) -> Self {
        self.checkpoint.change.status = status;
        self
    }

    /// Returns.
    pub(crate) fn completes(mut self, id: i32) -> Self {
        self.checkpoint.change.output = Some(json("done"));
        self.ends(id, RuntimeStatus::Completed, None)
    }

    /// Fails.
    pub(crate) fn fails(mut self, id: i32, message: &str) -> Self {
        let failure = Failure::new(message);
        self.checkpoint.change.failure = Some(failure.clone());
        self.ends(id, RuntimeStatus::Failed, Some(failure))
    }

    /// Was ended from outside.
    pub(crate) fn terminates(mut self, id: i32, reason: &str) -> Self {
        self.checkpoint.change.output = Some(json(reason));
        self.ends(id, RuntimeStatus::Terminated, None)
    }

    fn ends(mut self, id: i32, status: RuntimeStatus, failure: Option<Failure>) -> Self {
        let result = self.checkpoint.change.output.clone().unwrap_or_default();
        self.act(id, EventKind::ExecutionCompleted { status, result, failure });
        self.checkpoint.change.status = status;
        self
    }

    /// Goes on as another execution, whose history holds `events` more and nothing from before.
    pub(crate) fn goes_on_as(mut self, execution: &ExecutionId, events: Vec<HistoryEvent>) -> Self {
        self.checkpoint.execution = execution.clone();
        self.checkpoint.replaces = true;
        self.checkpoint.events = vec![HistoryEvent::new(self.now(), EventKind::OrchestratorStarted)];
        self.checkpoint.events.extend(events);
        self
    }

    /// Nothing happened: the messages were late or double.
    pub(crate) fn without_events(mut self) -> Self {
        self.checkpoint.events.clear();
        self
    }

    /// What would be saved, and with which item.
    pub(crate) fn parts(mut self) -> (OrchestrationWorkItem, Checkpoint) {
        if !self.checkpoint.events.is_empty() {
            let kind = EventKind::OrchestratorCompleted { digest: Some(unique()), rest: Rest::default() };
            self.checkpoint.events.push(HistoryEvent::new(self.now(), kind));
        }
        (self.item, self.checkpoint)
    }

    /// Saves it.
    pub(crate) async fn save(self) -> Result<(), ProviderError> {
        let hub = self.hub;
        let (item, checkpoint) = self.parts();
        hub.provider.checkpoint(item, checkpoint).await
    }

    /// Saves it, and gives what was saved.
    pub(crate) async fn saved(self) -> Checkpoint {
        let hub = self.hub;
        let (item, checkpoint) = self.parts();
        let saved = checkpoint.clone();
        hub.provider.checkpoint(item, checkpoint).await.expect("a held item can be checkpointed");
        saved
    }
}
