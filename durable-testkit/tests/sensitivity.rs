//! The suite notices a provider that breaks a promise: each flaw fails the case that is about it.

#![expect(clippy::unwrap_used, reason = "a provider that cannot be set up ends the test")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use durable::{
    clock::Clock,
    embedded::EmbeddedProvider,
    history::{ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{InstanceId, InstanceState, Payload, RuntimeStatus},
    provider::{
        ActivityWorkItem, AdminStore, Checkpoint, EntityPage, EntityQuery, HubStore, InstanceFilter,
        InstanceQuery, InstanceStore, LockToken, NewInstance, OrchestrationWorkItem, Page, PageToken, Past,
        Provider, ProviderError, ProviderErrorKind, PurgeResult, Reuse, StatusCounts, WaitFor, WorkStore,
    },
};
use durable_testkit::{
    VirtualClock,
    conformance::{CASES, Hub, ProviderFactory, check},
};

/// One broken promise each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    LetsAnyIdBeReused,
    CountsNoGenerations,
    FoldsIds,
    ReformatsPayloads,
    TakesMessagesForEndedInstances,
    ReversesMessages,
    DropsAMessage,
    ForgetsThePast,
    CountsNoAttempts,
    ForgetsDelays,
    AcceptsLostLocks,
    LosesCustomStatus,
    KeepsTheOldHistory,
    ForgetsTheLastEvent,
    RunsActivitiesTwice,
    TellsTheEndTooEarly,
    CannotBeginAgain,
    FitsAnyTag,
    LosesOneBetweenPages,
    BeginsAgainWithAnyToken,
    CountsTheEndedOnly,
    PurgesNothing,
    PurgesLiveOnesInWords,
    PurgesWithoutEnd,
    BeginsNoEntities,
    EpisodesBeginNoEntities,
    TakesEntitiesForOrchestrations,
    ForgetsDueTimes,
    ForgetsTooMuch,
    ForgetsNoEntity,
    IgnoresKeys,
    IgnoresTimesOfChange,
    LosesAnEntityBetweenPages,
}

/// Which case is about which flaw.
const ABOUT: &[(Flaw, &str)] = &[
    (Flaw::LetsAnyIdBeReused, "an_ended_id_is_refused_where_reuse_is_ruled_out"),
    (Flaw::CountsNoGenerations, "generations_are_counted_by_the_store"),
    (Flaw::FoldsIds, "ids_that_differ_in_case_are_different_instances"),
    (Flaw::ReformatsPayloads, "payloads_are_kept_to_the_letter"),
    (Flaw::TakesMessagesForEndedInstances, "an_ended_instance_takes_no_messages"),
    (Flaw::ReversesMessages, "the_messages_of_one_sender_keep_their_order"),
    (Flaw::DropsAMessage, "an_abandoned_item_comes_again_with_the_same_messages"),
    (Flaw::ForgetsThePast, "the_past_names_the_last_checkpoint"),
    (Flaw::CountsNoAttempts, "an_abandoned_item_comes_again_with_the_same_messages"),
    (Flaw::ForgetsDelays, "an_abandoned_item_comes_again_with_the_same_messages"),
    (Flaw::ForgetsDelays, "an_abandoned_activity_comes_again_after_its_delay"),
    (Flaw::AcceptsLostLocks, "an_item_is_settled_once"),
    (Flaw::AcceptsLostLocks, "an_activity_is_settled_once"),
    (Flaw::LosesCustomStatus, "a_checkpoint_is_seen_once_it_is_acknowledged"),
    (Flaw::KeepsTheOldHistory, "another_execution_replaces_the_history"),
    (Flaw::ForgetsTheLastEvent, "the_history_is_the_sum_of_the_checkpoints_in_order"),
    (Flaw::RunsActivitiesTwice, "every_activity_of_a_fan_out_runs_once_and_answers"),
    (Flaw::TellsTheEndTooEarly, "who_gives_up_waiting_disturbs_nobody"),
    (Flaw::CannotBeginAgain, "work_can_begin_again_after_its_end"),
    (Flaw::FitsAnyTag, "every_part_of_a_filter_is_heeded"),
    (Flaw::LosesOneBetweenPages, "pages_together_hold_every_instance_once"),
    (Flaw::BeginsAgainWithAnyToken, "a_token_of_another_query_is_refused"),
    (Flaw::CountsTheEndedOnly, "instances_are_found_and_counted_where_they_stand"),
    (Flaw::PurgesNothing, "a_purged_instance_is_gone_with_everything"),
    (Flaw::PurgesLiveOnesInWords, "a_live_instance_is_not_purged"),
    (Flaw::PurgesWithoutEnd, "a_purge_takes_what_has_ended_and_nothing_else"),
    (Flaw::BeginsNoEntities, "a_message_begins_its_entity"),
    (Flaw::BeginsNoEntities, "of_racing_first_messages_none_is_lost"),
    (Flaw::EpisodesBeginNoEntities, "an_episode_begins_the_entities_it_sends_to"),
    (Flaw::EpisodesBeginNoEntities, "a_turn_begins_the_entities_it_sends_to"),
    (Flaw::ReversesMessages, "an_entity_gets_the_messages_of_each_sender_in_order"),
    (Flaw::TakesEntitiesForOrchestrations, "entities_are_no_orchestrations"),
    (Flaw::ForgetsDueTimes, "a_message_that_is_due_later_waits_and_lets_others_pass"),
    (Flaw::ForgetsNoEntity, "an_entity_without_anything_to_keep_begins_anew"),
    (Flaw::ForgetsTooMuch, "no_entity_is_forgotten_while_a_message_waits_for_it"),
    (Flaw::ForgetsTooMuch, "a_message_and_an_end_of_a_turn_race_and_the_message_is_not_lost"),
    (Flaw::IgnoresKeys, "entities_are_found_by_name_and_beginning_of_the_key"),
    (Flaw::LosesAnEntityBetweenPages, "entities_are_found_by_name_and_beginning_of_the_key"),
    (Flaw::LosesAnEntityBetweenPages, "pages_stay_in_step_while_entities_come_and_go"),
    (Flaw::IgnoresTimesOfChange, "entities_are_found_by_the_time_of_their_last_change"),
    (Flaw::BeginsAgainWithAnyToken, "a_token_of_another_entity_query_is_refused"),
];

struct Broken {
    inner: EmbeddedProvider,
    flaw: Flaw,
    has_begun: AtomicBool,
    has_forgotten: AtomicBool,
}

struct Factory(Flaw);

impl ProviderFactory for Factory {
    fn fresh(&self) -> Hub {
        let inner = EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap();
        Hub::new(Arc::new(Broken {
            inner,
            flaw: self.0,
            has_begun: AtomicBool::new(false),
            has_forgotten: AtomicBool::new(false),
        }))
    }
}

#[test]
fn every_flaw_fails_the_case_that_is_about_it() {
    for (flaw, case) in ABOUT {
        check(case, &Factory(Flaw::None));
        let outcome = catch_unwind(AssertUnwindSafe(|| check(case, &Factory(*flaw))));
        assert!(outcome.is_err(), "`{case}` does not notice {flaw:?}");
    }
}

#[test]
fn the_names_of_the_cases_are_unique() {
    let mut names: Vec<_> = CASES.iter().map(durable_testkit::conformance::Case::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
}

impl Broken {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn delay(&self, delay: Duration) -> Duration {
        if self.has(Flaw::ForgetsDelays) { Duration::ZERO } else { delay }
    }

    fn tolerate(&self, settled: Result<(), ProviderError>) -> Result<(), ProviderError> {
        match settled {
            Err(error) if self.has(Flaw::AcceptsLostLocks) && error.kind == ProviderErrorKind::LockLost => {
                Ok(())
            }
            other => other,
        }
    }

    fn spoil(&self, mut state: InstanceState) -> InstanceState {
        if self.has(Flaw::CountsNoGenerations) {
            state.generation = 0;
        }
        if self.has(Flaw::ReformatsPayloads) {
            let value: serde_json::Value = state.input.read().unwrap();
            state.input = Payload::of(&value).unwrap();
        }
        state
    }
}

#[async_trait]
impl HubStore for Broken {
    async fn create(&self) -> Result<(), ProviderError> {
        self.inner.create().await
    }

    async fn delete(&self) -> Result<(), ProviderError> {
        self.inner.delete().await
    }

    async fn exists(&self) -> Result<bool, ProviderError> {
        self.inner.exists().await
    }
}

#[async_trait]
impl AdminStore for Broken {
    async fn query(&self, query: &InstanceQuery) -> Result<Page, ProviderError> {
        let mut query = query.clone();
        match self.flaw {
            Flaw::FitsAnyTag => query.filter.tags.clear(),
            Flaw::BeginsAgainWithAnyToken => query.after = None,
            _ => {}
        }
        let mut page = self.inner.query(&query).await?;
        if self.has(Flaw::TakesEntitiesForOrchestrations) {
            for stored in self.inner.entities(&EntityQuery::new()).await?.entities {
                page.instances.extend(self.inner.read_state(&stored.entity.instance()).await?);
            }
        }
        if self.has(Flaw::LosesOneBetweenPages) && page.next.is_some() {
            page.instances.pop();
        }
        Ok(page)
    }

    async fn entities(&self, query: &EntityQuery) -> Result<EntityPage, ProviderError> {
        let mut query = query.clone();
        match self.flaw {
            Flaw::IgnoresKeys => query.filter.key_prefix.clear(),
            Flaw::IgnoresTimesOfChange => query.filter.modified_from = None,
            Flaw::BeginsAgainWithAnyToken => query.after = None,
            _ => {}
        }
        let mut page = self.inner.entities(&query).await?;
        if self.has(Flaw::LosesAnEntityBetweenPages) && page.next.is_some() {
            page.entities.pop();
        }
        Ok(page)
    }

    async fn counts(&self) -> Result<StatusCounts, ProviderError> {
        let counts = self.inner.counts().await?;
        let is_told = |status: RuntimeStatus| status.is_terminal() || !self.has(Flaw::CountsTheEndedOnly);
        Ok(counts.iter().filter(|(status, _)| is_told(*status)).collect())
    }

    async fn purge(&self, instance: &InstanceId) -> Result<bool, ProviderError> {
        if self.has(Flaw::PurgesNothing) {
            return Ok(true);
        }
        match self.inner.purge(instance).await {
            Err(_) if self.has(Flaw::PurgesLiveOnesInWords) => Ok(true),
            purged => purged,
        }
    }

    async fn purge_by(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&PageToken>,
    ) -> Result<PurgeResult, ProviderError> {
        let mut result = self.inner.purge_by(filter, most, after).await?;
        if self.has(Flaw::PurgesWithoutEnd) && result.is_complete() {
            result.next = Some(PageToken::seal(filter, &[]));
        }
        Ok(result)
    }
}

#[async_trait]
impl InstanceStore for Broken {
    async fn create_instance(&self, mut new: NewInstance) -> Result<InstanceState, ProviderError> {
        if self.has(Flaw::LetsAnyIdBeReused) {
            new.reuse = Reuse::WhenEnded;
        }
        if self.has(Flaw::FoldsIds) {
            new.started.instance = InstanceId::new(new.started.instance.as_str().to_lowercase()).unwrap();
        }
        self.inner.create_instance(new).await.map(|state| self.spoil(state))
    }

    async fn send(&self, mut message: TaskMessage) -> Result<(), ProviderError> {
        let is_known = self.inner.read_state(&message.instance).await?.is_some();
        if self.has(Flaw::BeginsNoEntities) && !is_known {
            let kind = ProviderErrorKind::NotFound;
            return Err(ProviderError::new(kind, "send", message.instance.as_str()));
        }
        if self.has(Flaw::ForgetsDueTimes) {
            message.visible_at = None;
        }
        match self.inner.send(message).await {
            Err(error)
                if self.has(Flaw::TakesMessagesForEndedInstances)
                    && error.kind == ProviderErrorKind::Ended =>
            {
                Ok(())
            }
            sent => sent,
        }
    }

    async fn read_state(&self, instance: &InstanceId) -> Result<Option<InstanceState>, ProviderError> {
        Ok(self.inner.read_state(instance).await?.map(|state| self.spoil(state)))
    }

    async fn read_history(&self, instance: &InstanceId) -> Result<History, ProviderError> {
        let mut events = self.inner.read_history(instance).await?.into_events();
        if self.has(Flaw::ForgetsTheLastEvent) {
            events.pop();
        }
        Ok(History::new(events))
    }

    async fn wait(&self, instance: &InstanceId, until: WaitFor) -> Result<InstanceState, ProviderError> {
        match self.inner.read_state(instance).await? {
            Some(state) if self.has(Flaw::TellsTheEndTooEarly) => Ok(state),
            _ => self.inner.wait(instance, until).await,
        }
    }
}

#[async_trait]
impl WorkStore for Broken {
    async fn begin_work(&self) -> Result<(), ProviderError> {
        self.inner.begin_work().await?;
        let has_begun_before = self.has_begun.swap(true, Ordering::Relaxed);
        if has_begun_before && self.has(Flaw::CannotBeginAgain) {
            self.inner.end_work().await;
        }
        Ok(())
    }

    async fn end_work(&self) {
        self.inner.end_work().await;
    }

    async fn flush(&self) {
        self.inner.flush().await;
    }

    async fn fetch_orchestrations(&self, most: usize) -> Result<Vec<OrchestrationWorkItem>, ProviderError> {
        let mut items = self.inner.fetch_orchestrations(most).await?;
        for item in &mut items {
            match self.flaw {
                Flaw::ReversesMessages => item.messages.reverse(),
                Flaw::DropsAMessage if item.attempt > 1 => drop(item.messages.remove(0)),
                Flaw::ForgetsThePast => item.past = Past::Stored,
                Flaw::CountsNoAttempts => item.attempt = 1,
                Flaw::ForgetsTooMuch if self.has_forgotten.load(Ordering::Relaxed) => item.messages.clear(),
                _ => {}
            }
        }
        Ok(items)
    }

    async fn load_history(&self, item: &OrchestrationWorkItem) -> Result<History, ProviderError> {
        self.inner.load_history(item).await
    }

    async fn load_start(&self, item: &OrchestrationWorkItem) -> Result<ExecutionStarted, ProviderError> {
        self.inner.load_start(item).await
    }

    async fn checkpoint(
        &self,
        item: OrchestrationWorkItem,
        mut checkpoint: Checkpoint,
    ) -> Result<(), ProviderError> {
        match self.flaw {
            Flaw::LosesCustomStatus => checkpoint.change.custom_status = None,
            Flaw::KeepsTheOldHistory => checkpoint.execution = item.execution.clone(),
            Flaw::EpisodesBeginNoEntities => {
                checkpoint.messages.retain(|message| !message.instance.is_entity());
            }
            Flaw::ForgetsTooMuch => {
                self.has_forgotten.fetch_or(checkpoint.is_forgettable, Ordering::Relaxed);
            }
            Flaw::ForgetsNoEntity if checkpoint.is_forgettable => {
                checkpoint.is_forgettable = false;
                checkpoint.replaces = false;
                checkpoint.events.clear();
            }
            _ => {}
        }
        self.tolerate(self.inner.checkpoint(item, checkpoint).await)
    }

    async fn abandon_orchestration(
        &self,
        item: OrchestrationWorkItem,
        delay: Duration,
    ) -> Result<(), ProviderError> {
        self.inner.abandon_orchestration(item, self.delay(delay)).await
    }

    async fn fetch_activities(&self, most: usize) -> Result<Vec<ActivityWorkItem>, ProviderError> {
        let mut items = self.inner.fetch_activities(most).await?;
        if self.has(Flaw::RunsActivitiesTwice) && most > 1 {
            items.push(items[0].clone());
        }
        Ok(items)
    }

    async fn complete_activity(
        &self,
        item: ActivityWorkItem,
        result: HistoryEvent,
    ) -> Result<(), ProviderError> {
        self.tolerate(self.inner.complete_activity(item, result).await)
    }

    async fn abandon_activity(&self, item: ActivityWorkItem, delay: Duration) -> Result<(), ProviderError> {
        self.inner.abandon_activity(item, self.delay(delay)).await
    }

    fn lock_duration(&self) -> Option<Duration> {
        self.inner.lock_duration()
    }

    async fn renew(&self, lock: LockToken) -> Result<(), ProviderError> {
        self.inner.renew(lock).await
    }
}

impl Provider for Broken {
    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }
}
