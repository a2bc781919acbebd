//! Between a request and its execution, and the background tasks: each on both databases.

#![allow(clippy::unwrap_used, reason = "a broken promise ends the test")]

mod admission;
mod dead_letters;
mod delete_workflows;
mod driver;
mod mill;
mod plans;
mod raw;
mod remove_workflows;
mod replay;
mod resume_paused;
mod retention;
mod stats;
mod tasks;
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
    admission:
        the_same_content_under_a_known_key_is_the_same_request
        other_content_under_a_known_key_is_told_so
        a_key_that_names_an_event_is_known_whatever_the_content
        an_input_meets_the_schema_or_is_refused_with_every_problem
        a_schema_that_changed_since_the_check_is_the_one_that_counts
        a_known_key_is_answered_whatever_the_schema_says_by_now
        of_requests_that_have_a_limit_as_many_are_admitted_as_fit
        what_cannot_be_run_is_refused
        a_definition_that_this_version_refuses_is_told_apart_from_a_wrong_input;
    plans:
        many_who_ask_at_once_share_one_plan
        a_tenant_is_not_shown_what_is_anothers
        what_is_not_there_yet_is_looked_for_again;
    replay:
        a_replay_on_the_newest_revision_meets_its_schema
        a_replay_under_a_known_key_is_the_same_one_only_if_it_asks_the_same;
    dead_letters:
        a_dead_letter_is_counted_as_a_loss
        a_dead_letter_waits_for_a_database_that_is_away;
    delete_workflows:
        what_a_deleted_workflow_left_unfinished_is_cancelled;
    remove_workflows:
        a_deleted_workflow_goes_with_its_last_execution;
    resume_paused:
        what_waited_is_started_once_its_workflow_is_resumed
        whoever_resumes_wakes_the_task;
    retention:
        what_was_kept_for_long_enough_is_deleted_batch_by_batch;
    stats:
        ends_are_counted_once;
    tasks:
        every_task_has_a_name_of_its_own;
}
