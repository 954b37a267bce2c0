//! The conformance suite: what every provider promises, as cases that anybody can run.
//!
//! The list of cases exists once, below. [`provider_conformance!`](crate::provider_conformance)
//! makes a test of each, so that a new case fails every provider on its next build. A case knows
//! nothing of the provider but the contract of `durable::provider`. Begin with [`ProviderFactory`].

mod activities;
mod checkpoint;
mod contention;
mod entities;
mod entity_pages;
mod episode;
mod factory;
mod fixtures;
mod hub;
mod instances;
mod locks;
mod messages;
mod purge;
mod query;
mod recovery;
mod reuse;
mod succession;
mod timers;
mod waiting;
mod work_items;

use std::fmt;

use futures::future::LocalBoxFuture;

pub use factory::{Capability, Hub, ProviderFactory};

use fixtures::Stage;

/// Makes one `#[test]` of each case of the suite, and one that counts those that are skipped.
///
/// ```
/// use durable::provider::Provider;
/// use durable_testkit::conformance::{Hub, ProviderFactory};
///
/// # fn my_provider() -> std::sync::Arc<dyn Provider> { unimplemented!() }
/// struct Mine;
///
/// impl ProviderFactory for Mine {
///     fn fresh(&self) -> Hub {
///         Hub::new(my_provider())
///     }
/// }
///
/// mod my_provider_keeps_its_promises {
///     use super::*;
///     durable_testkit::provider_conformance!(Mine);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! provider_conformance {
    ($factory:expr) => {
        $crate::provider_conformance_cases! { [$crate::provider_conformance_tests] [$factory] }
    };
}

/// The list of all cases, by promise. Gives it to a macro, together with what that macro was given.
#[doc(hidden)]
#[macro_export]
macro_rules! provider_conformance_cases {
    ([$($then:tt)*] [$($given:tt)*]) => {
        $($then)*! {
            [$($given)*]
            hub {
                a_hub_exists_once_it_was_made needs [];
                making_a_hub_again_changes_nothing needs [];
                a_deleted_hub_is_gone_with_everything_in_it needs [];
                deleting_a_hub_that_was_never_made_does_nothing needs [];
                a_hub_that_is_worked_cannot_be_deleted needs [];
            }
            instances {
                a_new_instance_is_pending_with_all_it_was_given needs [];
                an_unknown_instance_has_no_state needs [];
                an_unknown_instance_has_no_history needs [];
                a_pending_instance_has_an_empty_history needs [];
                ids_that_differ_in_case_are_different_instances needs [];
                ids_of_every_script_and_length_are_kept needs [];
                payloads_are_kept_to_the_letter needs [];
                a_payload_of_a_mebibyte_is_kept needs [];
                a_client_needs_no_worker needs [];
                instances_do_not_see_each_other needs [];
            }
            reuse {
                a_live_id_is_refused_under_every_rule needs [];
                an_ended_id_begins_anew_with_nothing_of_the_old needs [];
                an_ended_id_is_refused_where_reuse_is_ruled_out needs [];
                generations_are_counted_by_the_store needs [];
                of_racing_starts_exactly_one_wins needs [];
                of_racing_replacements_exactly_one_wins needs [];
                a_late_answer_does_not_pass_for_one_of_the_new_execution needs [];
                messages_for_the_ended_execution_do_not_reach_the_next needs [];
            }
            work_items {
                the_first_item_brings_the_start needs [];
                messages_before_the_first_episode_come_after_the_start needs [];
                an_instance_is_out_once_at_a_time needs [];
                news_that_come_while_it_is_out_come_afterwards needs [];
                no_more_is_handed_out_than_was_asked_for needs [];
                a_fetch_waits_until_there_is_work needs [];
                a_fetch_that_is_given_up_takes_nothing_along needs [];
                the_end_of_work_lets_waiting_fetches_return_empty needs [];
                nothing_is_handed_out_after_the_end_of_work needs [];
                what_is_out_at_the_end_of_work_can_still_be_settled needs [];
                work_can_begin_again_after_its_end needs [];
                an_abandoned_item_comes_again_with_the_same_messages needs [];
                an_abandoned_item_rests_while_others_go_on needs [];
                attempts_start_over_with_every_checkpoint needs [];
                the_past_names_the_last_checkpoint needs [];
                the_past_stays_the_same_when_an_item_is_abandoned needs [];
                a_worker_reads_the_history_an_item_continues needs [];
            }
            locks {
                an_item_is_settled_once needs [];
                an_abandoned_item_cannot_be_checkpointed needs [];
                the_newest_holder_of_an_item_wins needs [];
                an_activity_is_settled_once needs [];
                an_abandoned_activity_cannot_be_completed needs [];
                a_lock_that_is_held_can_be_renewed needs [];
                a_lock_that_is_lost_cannot_be_renewed needs [];
                a_history_is_not_read_under_a_lost_lock needs [];
                no_token_is_given_twice needs [];
                an_item_whose_lock_ran_out_comes_again needs [LocksThatRunOut];
            }
            checkpoint {
                a_checkpoint_is_seen_once_it_is_acknowledged needs [];
                the_history_is_the_sum_of_the_checkpoints_in_order needs [];
                an_empty_checkpoint_consumes_its_messages_and_nothing_else needs [];
                a_value_that_is_not_given_stays needs [];
                the_last_published_value_stands needs [];
                every_end_is_seen_with_what_it_brought needs [];
                a_suspended_instance_is_seen_as_such_and_still_gets_messages needs [];
                another_execution_replaces_the_history needs [];
                a_first_checkpoint_may_also_be_the_last needs [];
                all_that_one_episode_asks_for_comes_about needs [];
            }
            activities {
                an_activity_is_handed_out_as_it_was_scheduled needs [];
                an_activity_runs_only_after_its_checkpoint needs [];
                a_result_is_delivered_once needs [];
                a_failure_is_delivered_like_a_result needs [];
                an_activity_is_out_once_at_a_time needs [];
                an_abandoned_activity_comes_again_after_its_delay needs [];
                every_activity_of_a_fan_out_runs_once_and_answers needs [];
                activities_are_handed_out_up_to_the_number_asked_for needs [];
                a_result_for_an_ended_instance_is_dropped needs [];
                a_result_that_comes_while_the_instance_is_out_comes_afterwards needs [];
                one_activity_does_not_hold_up_another needs [];
            }
            timers {
                a_timer_fires_when_it_is_due needs [];
                a_timer_fires_once needs [];
                timers_fire_in_the_order_of_their_times needs [];
                a_timer_that_is_past_fires_at_once needs [];
                a_timer_that_is_never_due_holds_nothing_up needs [];
                a_cancelled_timer_holds_nothing_up needs [];
                a_timer_set_and_cancelled_in_one_episode_does_no_harm needs [];
                an_ended_instance_leaves_no_timers_behind needs [];
                many_timers_at_one_time_all_fire needs [];
                a_scheduled_instance_is_pending_until_its_time needs [];
                an_event_does_not_begin_a_scheduled_instance_early needs [];
                an_order_to_end_does_not_wait_for_a_scheduled_start needs [];
                an_order_to_end_does_not_wait_until_an_abandoned_item_has_rested needs [];
                a_start_scheduled_for_the_past_begins_at_once needs [];
                a_message_waits_until_it_is_visible needs [];
            }
            messages {
                an_unknown_instance_takes_no_messages needs [];
                an_ended_instance_takes_no_messages needs [];
                a_message_arrives_as_it_was_sent needs [];
                every_kind_of_message_arrives needs [];
                the_messages_of_one_sender_keep_their_order needs [];
                ten_thousand_messages_all_arrive_once_and_in_order needs [];
                an_episode_sends_messages_to_another_instance_in_order_and_once needs [];
                messages_of_two_episodes_keep_their_order needs [];
                an_episode_may_send_a_message_to_its_own_instance needs [];
                an_episode_may_send_to_one_that_is_not_there needs [];
                what_comes_too_late_is_dropped_at_the_end needs [];
                an_episode_that_ends_still_sends_its_messages needs [];
            }
            succession {
                an_episode_begins_another_instance_and_sends_it_messages needs [];
                a_start_that_an_instance_had_not_taken_when_it_ended_begins_it_anew needs [];
                a_start_that_was_sent_again_to_an_ending_instance_does_not_begin_it_anew needs [];
                a_checkpoint_that_is_refused_begins_nothing needs [];
                a_start_for_an_ended_instance_begins_it_anew needs [];
                a_start_for_a_live_instance_reaches_it_like_any_message needs [];
                what_an_execution_leaves_behind_runs_under_its_own_name needs [];
                a_failed_instance_lives_again_for_an_order_to_rewind needs [];
                an_episode_lets_another_instance_live_again needs [];
                only_a_failed_instance_lives_again needs [];
                instances_that_follow_survive_a_restart needs [Restart];
                what_begins_anew_survives_a_restart needs [Restart];
            }
            waiting {
                nobody_waits_for_an_unknown_instance needs [];
                a_wait_that_is_met_already_ends_at_once needs [];
                who_waits_for_the_start_is_told_with_the_first_checkpoint needs [];
                who_waits_for_the_end_is_told_however_it_ends needs [];
                everybody_who_waits_is_told needs [];
                who_gives_up_waiting_disturbs_nobody needs [];
                a_wait_outlives_the_worker needs [];
                who_waits_is_told_that_the_instance_has_gone needs [];
            }
            recovery {
                an_accepted_start_survives needs [Restart];
                state_and_history_survive needs [Restart];
                an_item_that_was_out_comes_again needs [Restart];
                an_item_that_rested_comes_again needs [Restart];
                open_activities_run_again_and_finished_ones_do_not needs [Restart];
                a_result_that_no_checkpoint_consumed_is_not_lost needs [Restart];
                open_timers_fire_and_those_that_fired_do_not needs [Restart];
                a_cancelled_timer_does_no_harm_after_a_restart needs [Restart];
                an_acknowledged_message_survives_in_its_order needs [Restart];
                a_consumed_message_does_not_come_back needs [Restart];
                a_message_between_instances_arrives_exactly_once needs [Restart];
                an_ended_instance_stays_ended needs [Restart];
                generations_go_on_counting needs [Restart];
                a_replaced_execution_stays_replaced needs [Restart];
                an_answer_to_an_execution_before_answers_nothing_of_the_next needs [Restart];
                a_scheduled_start_still_waits needs [Restart];
                an_invisible_message_still_waits needs [Restart];
                many_restarts_lose_nothing needs [Restart];
            }
            query {
                a_query_without_a_filter_tells_every_instance needs [];
                every_part_of_a_filter_is_heeded needs [];
                a_filter_that_fits_nothing_finds_nothing needs [];
                pages_together_hold_every_instance_once needs [];
                pages_stay_in_step_while_instances_come_and_go needs [];
                a_token_of_another_query_is_refused needs [];
                payloads_are_left_out_where_they_are_not_wanted needs [];
                instances_are_found_and_counted_where_they_stand needs [];
                a_reused_id_is_found_as_what_it_is_now needs [];
                what_is_found_and_counted_survives needs [Restart];
            }
            purge {
                a_purged_instance_is_gone_with_everything needs [];
                nothing_is_purged_where_there_is_nothing needs [];
                a_live_instance_is_not_purged needs [];
                a_purge_takes_what_has_ended_and_nothing_else needs [];
                a_purge_takes_no_more_than_it_was_asked_to needs [];
                a_purged_id_begins_anew needs [];
                what_was_meant_for_a_purged_instance_reaches_no_other needs [Restart];
                a_purge_survives needs [Restart];
                an_instance_is_kept_as_long_as_its_start_said needs [Retention];
                a_retention_goes_on_after_a_restart needs [Retention, Restart];
            }
            entities {
                a_message_begins_its_entity needs [];
                an_episode_begins_the_entities_it_sends_to needs [];
                a_turn_begins_the_entities_it_sends_to needs [];
                of_racing_first_messages_none_is_lost needs [];
                an_entity_gets_the_messages_of_each_sender_in_order needs [];
                entities_are_no_orchestrations needs [];
                a_message_that_is_due_later_waits_and_lets_others_pass needs [];
                what_entities_keep_and_wait_for_survives needs [Restart];
                an_entity_without_anything_to_keep_begins_anew needs [];
                no_entity_is_forgotten_while_a_message_waits_for_it needs [];
                a_message_and_an_end_of_a_turn_race_and_the_message_is_not_lost needs [];
            }
            entity_pages {
                entities_are_found_by_name_and_beginning_of_the_key needs [];
                entities_are_found_by_the_time_of_their_last_change needs [];
                a_token_of_another_entity_query_is_refused needs [];
                pages_stay_in_step_while_entities_come_and_go needs [];
            }
            contention {
                workers_share_the_work needs [];
                senders_race_with_the_worker_and_nothing_is_lost needs [];
                activities_are_completed_from_many_threads needs [];
                an_end_and_a_message_race_and_the_sender_knows_who_won needs [];
                a_wait_and_an_end_race_and_the_wait_is_not_missed needs [];
            }
        }
    };
}

/// Turns the list into tests.
#[doc(hidden)]
#[macro_export]
macro_rules! provider_conformance_tests {
    ([$factory:expr] $($group:ident { $($case:ident needs [$($need:ident),*];)* })*) => {
        $($(
            #[test]
            fn $case() {
                $crate::conformance::check(stringify!($case), &$factory);
            }
        )*)*

        #[test]
        fn as_many_cases_are_skipped_as_the_factory_says() {
            $crate::conformance::check_skips(&$factory);
        }
    };
}

macro_rules! case_table {
    ([] $($group:ident { $($case:ident needs [$($need:ident),*];)* })*) => {
        &[$($(
            Case {
                group: stringify!($group),
                name: stringify!($case),
                needs: &[$(Capability::$need),*],
                run: |stage| Box::pin($group::$case(stage)),
            },
        )*)*]
    };
}

/// Every case of the suite, grouped by promise.
pub const CASES: &[Case] = provider_conformance_cases! { [case_table] [] };

/// One promise, and how to check it.
pub struct Case {
    group: &'static str,
    name: &'static str,
    needs: &'static [Capability],
    run: for<'a> fn(Stage<'a>) -> LocalBoxFuture<'a, ()>,
}

impl Case {
    /// Which part of the contract it is about.
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// What is promised, as a sentence.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the provider must be able to do for it.
    pub const fn needs(&self) -> &'static [Capability] {
        self.needs
    }

    /// The first thing it needs that `factory` does not claim.
    pub fn lacks(&self, factory: &dyn ProviderFactory) -> Option<Capability> {
        self.needs.iter().copied().find(|need| !factory.capabilities().contains(need))
    }

    /// Runs it on this thread, outside any runtime, unless the provider lacks what it needs; then
    /// it says so on the error output.
    ///
    /// # Panics
    /// When the provider breaks the promise.
    pub fn run(&self, factory: &dyn ProviderFactory) {
        match self.lacks(factory) {
            Some(need) => eprintln!("{}::{} skipped: needs {need}", self.group, self.name),
            None => futures::executor::block_on((self.run)(Stage { factory })),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.group, self.name)
    }
}

/// Runs the case `name`.
///
/// # Panics
/// When the provider breaks the promise, or there is no such case.
pub fn check(name: &str, factory: &dyn ProviderFactory) {
    let case = CASES.iter().find(|case| case.name == name);
    case.unwrap_or_else(|| panic!("the suite has no case `{name}`")).run(factory);
}

/// Insists that exactly as many cases are skipped as `factory` says.
///
/// # Panics
/// When it is another number; the message names the cases.
pub fn check_skips(factory: &dyn ProviderFactory) {
    let skipped: Vec<_> = CASES.iter().filter(|case| case.lacks(factory).is_some()).collect();
    assert_eq!(skipped.len(), factory.skips(), "these cases are skipped: {skipped:?}");
}
