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
mod authentication;
mod connections;
mod create_workflow;
mod errors;
mod execute;
mod idempotency;
mod isolation;
mod journal;
mod operations;
mod outages;
mod prefer_wait;
mod probes;
mod shutdown;
mod tenants;
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
        a_user_who_is_no_admin_deletes_nothing;
    authentication:
        a_request_without_a_key_is_told_so
        a_key_that_nobody_has_is_refused
        the_scheme_is_known_in_any_case;
    create_workflow:
        a_workflow_is_answered_with_its_place
        a_definition_is_given_back_byte_for_byte
        what_is_left_out_has_defaults
        every_problem_of_a_definition_is_answered_with_its_path
        problems_of_fields_and_definition_are_answered_together
        a_character_that_the_database_cannot_keep_is_refused
        a_zero_character_inside_a_document_is_kept;
    errors:
        malformed_json_is_400
        a_document_that_nests_too_deeply_is_400
        another_content_type_is_415
        a_body_that_is_too_large_is_413
        an_unknown_route_is_404_and_a_wrong_method_405
        a_malformed_query_is_400
        a_switched_off_workflow_is_409
        a_panic_is_an_opaque_500
        a_body_that_never_ends_is_given_up;
    execute:
        an_execution_is_accepted_with_its_place
        an_absent_body_or_input_is_an_empty_object
        an_input_that_is_no_object_is_refused
        a_finished_execution_shows_what_happened
        a_failed_execution_shows_why;
    idempotency:
        the_same_key_again_answers_the_same_execution
        the_same_key_with_another_request_is_409
        twenty_at_once_with_one_key_make_one_execution
        a_key_that_is_none_is_refused;
    isolation:
        what_another_organization_owns_is_404
        an_id_that_is_none_is_404
        two_organizations_may_use_the_same_key;
    journal:
        a_journal_is_read_page_by_page
        a_long_journals_log_is_cut_and_says_so;
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
        all_who_wait_for_one_execution_are_answered;
    probes:
        a_healthy_system_is_alive_and_ready
        readiness_names_a_closed_broker
        metrics_count_requests_by_route;
    shutdown:
        a_wait_is_cut_short_by_the_shutdown
        a_request_that_hangs_does_not_hold_up_the_shutdown;
    tenants:
        no_route_tells_or_changes_what_is_another_organizations
        the_walk_through_the_routes_leaves_none_out;
}
