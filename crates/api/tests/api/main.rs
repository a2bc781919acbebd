//! The API as its clients meet it: over HTTP, on both databases, with the in-process broker.
//!
//! A behaviour is one function over a fresh [`TestDatabase`]; [`on_both!`] makes a test of it for each. One that the
//! list lacks is dead code, so it cannot be forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken promise ends the test"
)]

mod access;
mod audit;
mod authentication;
mod batch;
mod bulk;
mod catalogue;
mod change_workflow;
mod connections;
mod create_workflow;
mod described;
mod documents;
mod errors;
mod events;
mod execute;
mod generated;
mod idempotency;
mod isolation;
mod journal;
mod keys;
mod limits;
mod list_executions;
mod list_workflows;
mod operations;
mod outages;
mod prefer_wait;
mod probes;
mod raw;
mod shutdown;
mod stats;
mod templates;
mod tenants;
mod tokens;
mod world;

use gristmill_testkit::TestDatabase;

macro_rules! on_both {
    ($($module:ident: $($behaviour:ident)*;)*) => {
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(crate::TestDatabase::postgres().await).await;
            })*)*
        }
        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(crate::TestDatabase::sqlite().await).await;
            })*)*
        }
    };
}

on_both! {
    access:
        a_tier_below_growth_has_no_access
        a_user_who_is_no_admin_deletes_nothing
        every_route_asks_for_its_permission
        a_keys_scopes_narrow_what_its_owner_may_do
        who_may_not_look_is_not_shown_what_others_submitted
        a_patch_switches_for_those_who_may_switch;
    audit:
        what_was_done_is_shown_with_who_and_in_which_request
        a_page_leads_to_the_next_one
        a_bad_parameter_is_named;
    authentication:
        a_request_without_a_key_is_told_so
        a_key_that_nobody_has_is_refused
        the_scheme_is_known_in_any_case;
    batch:
        each_input_of_a_batch_is_an_execution
        the_same_batch_again_is_answered_with_the_same_executions
        what_is_wrong_with_one_item_keeps_no_other_from_running
        what_is_wrong_with_all_is_an_error_of_the_whole
        a_batch_that_is_none_is_refused
        a_batchs_body_has_a_limit_of_its_own
        an_item_is_no_larger_than_the_body_of_a_submit
        of_any_number_of_problems_some_are_told;
    bulk:
        what_a_filter_finds_is_cancelled_in_bounded_steps
        what_a_filter_finds_failed_is_retried
        what_cannot_be_retried_is_told_and_not_met_again
        an_order_for_everything_must_say_so
        one_execution_that_cannot_be_had_hurts_no_other;
    catalogue:
        every_template_of_the_catalogue_runs;
    change_workflow:
        a_patch_changes_what_it_names_and_nothing_else
        a_patch_is_checked_as_a_whole
        a_patch_from_an_old_edition_is_412
        patches_at_once_are_all_made
        a_workflow_is_toggled_paused_and_resumed
        a_deleted_workflow_is_gone_and_its_executions_stay
        every_revision_is_shown_page_by_page
        a_page_of_large_revisions_ends_early
        a_definition_is_validated_and_nothing_is_stored
        a_workflow_is_shown_with_what_belongs_to_it
        another_organizations_workflow_takes_no_orders
        only_those_who_manage_switch_and_delete;
    create_workflow:
        a_workflow_is_answered_with_its_place
        a_definition_is_given_back_byte_for_byte
        what_is_left_out_has_defaults
        every_problem_of_a_definition_is_answered_with_its_path
        problems_of_fields_and_definition_are_answered_together
        a_name_has_nothing_that_a_terminal_would_obey
        a_name_that_is_stored_is_no_reason_to_refuse_another_change
        a_character_that_the_database_cannot_keep_is_refused
        a_zero_character_inside_a_document_is_kept;
    errors:
        malformed_json_is_400
        a_document_that_nests_too_deeply_is_400
        another_content_type_is_415
        a_body_that_is_too_large_is_413
        an_unknown_route_is_404_and_a_wrong_method_405
        a_query_that_asks_for_something_else_is_422
        a_switched_off_workflow_is_409
        a_panic_is_an_opaque_500
        a_body_that_never_ends_is_given_up;
    events:
        a_stream_tells_what_happens_and_ends_with_the_execution
        nothing_is_missed_between_the_past_and_the_stream
        the_stream_of_a_deleted_execution_ends
        so_many_follow_and_no_more
        a_stream_ends_with_its_key
        a_stream_outlives_the_time_of_a_request_but_not_the_process;
    execute:
        an_execution_is_accepted_with_its_place
        an_absent_body_or_input_is_an_empty_object
        an_input_that_is_no_object_is_refused
        tags_and_metadata_are_given_back
        a_finished_execution_shows_what_happened
        a_failed_execution_shows_why;
    generated:
        no_request_however_malformed_gets_a_5xx_or_a_reset
        a_body_that_nobody_reads_does_not_cost_the_answer;
    idempotency:
        the_same_key_again_answers_the_same_execution
        the_same_key_with_another_request_is_409
        twenty_at_once_with_one_key_make_one_execution
        a_key_that_is_none_is_refused;
    isolation:
        an_id_that_is_none_is_404
        two_organizations_may_use_the_same_key;
    journal:
        a_journal_is_read_page_by_page
        a_page_of_large_entries_ends_early
        a_long_journals_log_is_cut_and_says_so;
    keys:
        a_key_is_shown_once_and_works
        a_revoked_key_works_no_more
        a_key_makes_no_key_that_may_do_more
        a_key_that_makes_no_sense_is_refused_with_every_problem
        members_see_and_revoke_their_own_keys_and_admins_everybodys
        a_trusted_key_ends_with_its_expiry
        the_use_of_a_key_is_noted;
    list_executions:
        executions_are_listed_page_by_page_without_their_documents
        executions_are_found_by_the_tags_that_they_were_submitted_with
        a_bad_parameter_of_a_list_is_named;
    list_workflows:
        a_list_is_filtered_by_everything_at_once
        a_search_takes_any_case_and_no_wildcards
        a_list_is_sorted_and_paged
        a_bad_parameter_is_422_and_named;
    limits:
        of_two_hundred_at_once_for_the_last_place_one_is_admitted
        over_the_months_limit_the_answer_says_when_to_come_back
        workflows_are_limited_by_tier
        a_super_admin_is_not_limited
        a_key_that_is_too_fast_is_told_when_to_come_back
        each_input_of_a_batch_counts_against_the_rate
        an_idle_key_gets_any_batch_through;
    operations:
        a_cancelled_execution_is_answered_again_and_again
        what_has_ended_is_not_cancelled_or_signalled
        a_failed_execution_is_retried_and_no_other
        a_replay_is_a_new_execution_that_names_the_old_one
        a_signal_is_kept_and_the_same_key_is_the_same_signal
        a_signal_too_many_names_the_limit
        an_ended_execution_is_deleted_for_good
        a_family_is_shown_from_both_ends
        another_organizations_execution_takes_no_orders
        an_execution_may_be_submitted_for_later
        a_start_that_is_no_time_is_refused
        an_input_is_checked_against_the_newest_schema;
    prefer_wait:
        a_wait_that_runs_out_answers_202
        an_execution_that_ends_in_time_answers_200
        a_known_key_can_be_waited_for
        a_wait_is_capped
        a_minimal_answer_shows_how_it_ended_without_its_documents
        a_minimal_answer_of_a_failed_execution_says_why
        a_minimal_answer_without_an_end_shows_what_was_recorded
        all_who_wait_for_one_execution_are_answered
        an_execution_that_was_submitted_earlier_can_be_waited_for
        nobody_waits_for_another_organizations_execution;
    probes:
        a_healthy_system_is_alive_and_ready
        readiness_names_a_closed_broker
        metrics_count_requests_by_route;
    shutdown:
        a_wait_is_cut_short_by_the_shutdown
        a_request_that_hangs_does_not_hold_up_the_shutdown;
    tokens:
        a_token_acts_for_its_bearer
        a_token_that_is_not_to_be_believed_is_refused
        a_token_does_not_choose_how_it_is_verified
        tokens_of_public_keys_are_believed
        a_membership_that_ends_ends_the_tokens_access
        all_tokens_of_a_member_have_one_rate
        without_keys_nothing_is_believed_and_nothing_refused_for_good
        tokens_are_refused_where_none_are_configured;
    stats:
        figures_are_counted_from_what_has_ended
        a_range_that_is_none_is_refused;
    templates:
        a_template_becomes_a_workflow
        a_workflow_becomes_a_template_for_its_own_organization_or_for_all
        a_shared_template_names_no_workflow_of_its_organization
        templates_are_listed_by_category_and_search;
    tenants:
        no_route_tells_or_changes_what_is_another_organizations;
}
