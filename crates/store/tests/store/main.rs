//! The contract suite: every behaviour of the store, on both databases.
//!
//! A behaviour is one function over a fresh [`TestDatabase`]; [`contract!`] makes a test of it for each. One that the
//! list lacks is dead code, so it cannot be forgotten. What only one database can do stands in a file of its own.

#![allow(clippy::unwrap_used, reason = "a broken promise ends the test")]

mod append;
mod audit;
mod backlog;
mod blocks;
mod cancel;
mod children;
mod claim;
mod confirm;
mod connections;
mod counts;
mod dead_letters;
mod groups;
mod inbox;
mod leaving;
mod limits;
mod listing;
mod locks;
mod losses;
mod migrations;
mod operations;
mod paused;
mod people;
mod plain;
mod previous_version;
mod raw;
mod reads;
mod recover;
mod relay;
mod release;
mod renew;
mod return_jobs;
mod schedule;
mod settle;
mod sqlite_files;
mod submit;
mod suspend;
mod tenancy;
mod unpublish_lane;
mod watch;
mod workflows;
mod world;

use gristmill_testkit::TestDatabase;

macro_rules! contract {
    ($($module:ident: $($behaviour:ident)*;)*) => {
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(&crate::TestDatabase::postgres().await).await;
            })*)*
        }

        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(&crate::TestDatabase::sqlite().await).await;
            })*)*
        }
    };
}

contract! {
    submit:
        a_submit_is_recorded_as_pending_with_a_clock
        a_submit_takes_the_newest_revision_and_the_workflows_lane
        the_same_key_and_request_is_answered_with_the_same_execution
        the_same_key_with_another_request_is_refused
        a_key_that_names_an_event_is_one_execution_whatever_its_content
        a_key_used_twice_in_one_group_is_one_execution
        of_eight_submits_with_one_key_at_once_one_is_accepted
        groups_with_the_same_keys_in_opposite_orders_all_succeed
        a_key_belongs_to_its_organization
        a_replay_is_answered_even_when_the_workflow_was_switched_off
        each_member_of_a_submit_is_answered_for_itself
        the_input_is_kept_byte_for_byte;
    confirm:
        a_confirmed_job_is_due_again_after_five_minutes_then_fifteen_then_forty_five
        a_confirm_that_comes_after_the_claim_leaves_the_lease_alone
        a_confirm_of_an_older_attempt_is_ignored
        a_confirm_of_what_is_due_again_is_ignored
        each_pending_counts_its_own_confirms;
    claim:
        a_job_claims_its_execution_once
        a_job_of_an_older_attempt_claims_nothing
        of_eight_claims_at_once_one_wins
        a_job_twice_in_one_group_claims_once
        a_claim_answers_each_job_for_itself
        a_second_claim_keeps_the_first_start
        a_claim_repeated_under_its_token_claims_the_same_again;
    append:
        a_journal_is_read_back_in_order_and_byte_for_byte
        a_worker_that_lost_its_lease_appends_nothing
        nothing_is_appended_to_what_has_ended
        an_append_without_a_chunk_only_says_who_holds
        an_append_sent_again_while_the_first_is_under_way_is_stored_once;
    settle:
        a_completed_execution_has_its_output_and_no_clock
        a_failed_execution_has_its_error_and_no_clock
        a_second_settle_changes_nothing
        a_worker_that_lost_its_lease_settles_nothing
        of_two_settles_in_one_group_the_first_counts
        of_eight_settles_at_once_one_counts;
    suspend:
        a_suspended_execution_waits_for_its_time
        a_suspended_execution_may_wait_for_a_message_alone
        a_suspend_is_refused_when_a_message_has_come
        a_worker_that_lost_its_lease_suspends_nothing
        a_message_and_a_suspend_at_once_never_leave_the_message_unread;
    release:
        a_released_execution_is_claimable_at_once
        a_worker_that_lost_its_lease_releases_nothing;
    return_jobs:
        a_job_handed_back_is_unpublished_and_due
        a_job_handed_back_after_another_claimed_it_changes_nothing;
    renew:
        a_renewed_lease_lasts_longer
        a_lost_lease_is_not_renewed;
    watch:
        a_watch_shows_how_executions_stand
        a_claim_whose_answer_was_lost_is_recognized_by_its_token
        only_what_has_ended_is_answered_with_its_end;
    relay:
        publish_leaves_a_pending_execution_pending_and_unpublished
        start_makes_a_waiting_execution_claimable
        reap_takes_the_lease_and_counts_a_loss
        pause_makes_a_lost_execution_wait
        fail_ends_the_execution
        leave_changes_nothing
        leases_are_left_alone_unless_reaping
        what_is_not_due_is_not_touched
        the_most_overdue_come_first_and_no_more_than_the_limit
        each_due_execution_gets_its_own_decision
        five_relays_at_once_never_take_one_execution_twice
        relays_at_once_hand_failures_to_their_handlers;
    losses:
        losses_are_zeroed_by_progress_and_by_nothing_else;
    inbox:
        messages_are_read_in_the_order_of_their_arrival
        a_message_wakes_a_waiting_execution
        a_message_to_a_running_execution_leaves_its_lease_alone
        the_same_key_twice_is_one_message
        the_same_key_for_another_message_is_refused
        a_message_leaves_the_pause_after_lost_workers_alone
        of_eight_deliveries_of_one_key_at_once_one_arrives
        messages_sent_at_once_are_numbered_without_gaps
        a_message_for_another_organizations_execution_finds_nobody
        a_message_for_an_ended_execution_is_refused_unless_it_is_known;
    dead_letters:
        a_dead_job_counts_one_loss_and_is_due_at_once
        a_dead_job_too_many_fails_the_execution
        a_dead_job_that_the_execution_has_moved_past_is_stale
        each_dead_job_is_answered_for_itself;
    unpublish_lane:
        a_missing_queue_makes_its_lane_due;
    recover:
        a_new_start_makes_due_what_ran_and_then_what_waited_in_the_queue;
    backlog:
        the_backlog_is_measured_from_what_waits
        the_queues_age_is_that_of_whoever_has_been_claimable_for_longest;
    groups:
        one_bad_member_never_hurts_its_neighbours
        groups_in_opposite_orders_never_deadlock
        groups_of_five_thousand_go_all_the_way
        an_empty_group_is_no_error;
    cancel:
        whatever_is_unfinished_can_be_cancelled
        what_has_ended_is_not_cancelled
        another_organizations_execution_is_not_cancelled
        a_cancelled_execution_takes_nothing_from_its_holder
        a_cancel_takes_the_whole_tree_and_nothing_beside_it
        a_cancelled_child_is_a_message_for_its_parent
        a_cancel_and_any_other_step_at_once_end_the_execution_once
        a_family_that_ends_and_is_cancelled_at_once_never_deadlocks;
    children:
        a_child_belongs_to_its_parent_and_is_due_at_once
        there_is_one_child_for_each_path
        only_the_holder_of_a_running_parent_starts_children
        a_child_that_cannot_be_started_is_told_why
        a_child_s_input_is_checked_against_the_newest_revision_or_not_at_all
        the_end_of_a_child_is_a_message_that_wakes_its_parent
        a_parent_that_ends_with_its_child_in_one_group_keeps_what_it_may_need
        the_ends_of_a_hundred_children_at_once_are_numbered_without_gaps
        a_child_that_the_relay_fails_is_a_message_for_its_parent
        a_failed_execution_is_handed_to_its_handler_once
        a_handler_that_fails_is_not_handled
        a_child_is_published_by_the_relay;
    operations:
        a_failed_execution_is_retried_once
        only_what_failed_is_retried
        a_replay_runs_the_same_input_on_the_same_or_the_newest_revision
        a_replay_is_refused_or_known_as_a_submit_is
        only_what_has_ended_is_deleted_and_all_of_it
        a_child_is_kept_for_as_long_as_its_parent_may_ask_for_it
        what_ended_long_ago_is_pruned_by_age_and_status
        a_workflow_may_keep_its_executions_longer_or_shorter
        pruners_at_once_take_no_more_than_their_limits;
    schedule:
        a_submit_for_later_waits_for_its_time
        a_message_does_not_start_an_execution_before_its_time
        an_input_is_checked_against_the_newest_revision_or_not_at_all
        a_deadline_begins_with_the_first_claim_and_nothing_moves_it
        what_waits_for_a_message_alone_wakes_for_its_deadline
        an_inbox_holds_so_much_and_no_more;
    limits:
        rule_31_every_execution_that_is_inserted_counts_once
        of_a_group_the_first_that_fit_are_admitted
        equal_new_keys_find_no_room_together
        of_forty_submits_at_once_for_the_last_place_one_is_admitted
        a_replay_keeps_to_the_limit
        children_keep_to_the_limit_of_their_organizations_tier
        a_failure_that_there_is_no_room_to_handle_is_a_failure_all_the_same
        of_twenty_who_add_the_last_workflow_at_once_one_does
        what_a_paused_workflow_is_sent_counts_at_once
        a_deleted_workflow_makes_room_for_another
        tags_and_metadata_are_kept_found_and_replayed;
    listing:
        a_list_has_what_its_filter_says_newest_first_and_once
        the_tags_of_a_deleted_execution_go_with_it;
    paused:
        what_is_submitted_to_a_paused_workflow_waits_until_it_is_resumed
        children_replays_and_handlers_of_a_paused_workflow_wait
        neither_a_message_nor_its_time_starts_what_waits_for_its_workflow
        what_was_started_before_the_pause_goes_on
        what_slips_in_while_a_workflow_is_resumed_is_found_later
        resumers_at_once_take_no_more_than_their_limits;
    counts:
        every_end_is_counted_once_however_it_came
        an_operators_retry_takes_the_end_back
        the_metrics_hear_of_every_end_whoever_ended_it
        figures_are_those_of_the_range_and_the_tenant
        ends_of_an_organization_that_is_gone_are_dropped;
    workflows:
        of_eight_changes_from_one_edition_one_is_made
        a_change_of_names_alone_is_no_revision
        a_switch_needs_the_edition_that_it_names
        a_change_to_what_is_there_already_is_none
        a_deleted_workflow_takes_no_work_and_keeps_its_executions
        a_deleted_workflow_goes_with_its_last_execution
        a_deleted_workflow_goes_one_revision_at_a_time
        unfinished_executions_are_found_page_by_page
        a_template_is_seen_by_those_that_it_is_for;
    plain:
        a_bootstrapped_owner_is_found_by_the_keys_hash
        a_bootstrap_that_fails_leaves_nothing
        a_revoked_key_has_no_owner
        only_a_member_gets_a_key
        a_new_workflow_was_last_changed_when_it_was_made
        a_workflow_is_read_back_as_it_was_stored
        a_saved_definition_is_a_new_revision_and_the_old_one_stays
        savers_at_once_number_their_revisions_without_gaps
        what_is_another_organizations_is_not_found
        an_execution_is_shown_as_it_stands
        a_stretch_of_a_journal_comes_in_the_chunks_that_hold_it
        a_migrated_database_passes_the_check;
    audit:
        whatever_a_person_changes_is_told_once
        every_change_of_workflows_and_templates_is_told_once
        what_changes_nothing_is_not_told
        a_change_that_cannot_be_told_is_not_made
        the_log_is_read_newest_first_page_by_page
        the_log_is_narrowed_by_what_who_and_when
        what_is_rare_in_the_log_is_found_page_by_page;
    people:
        a_key_is_listed_and_revoked_by_who_may
        an_expired_key_has_no_owner
        a_keys_last_use_is_noted_once_a_minute
        a_keys_scopes_are_kept
        a_removed_member_has_no_keys_and_no_standing
        users_members_and_organizations_are_made_and_changed
        a_role_that_nobody_knows_gives_no_access;
}
