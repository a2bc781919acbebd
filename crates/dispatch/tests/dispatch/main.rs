//! Background tasks: the loop that they run in, and each on both databases.

#![allow(clippy::unwrap_used, reason = "a broken promise ends the test")]

mod dead_letters;
mod delete_workflows;
mod driver;
mod raw;
mod remove_workflows;
mod resume_paused;
mod retention;
mod stats;
mod tasks;
mod world;

macro_rules! on_both {
    ($($module:ident: $($behaviour:ident)*;)*) => {
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(gristmill_testkit::TestDatabase::postgres().await).await;
            })*)*
        }

        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$module::$behaviour(gristmill_testkit::TestDatabase::sqlite().await).await;
            })*)*
        }
    };
}

on_both! {
    dead_letters:
        a_dead_letter_is_counted_as_a_loss
        a_dead_letter_waits_for_a_database_that_is_away;
    delete_workflows:
        what_a_deleted_workflow_left_unfinished_is_cancelled;
    remove_workflows:
        a_deleted_workflow_goes_with_its_last_execution;
    resume_paused:
        what_was_held_is_started_once_its_workflow_is_resumed
        whoever_resumes_wakes_the_task;
    retention:
        what_was_kept_for_long_enough_is_deleted_batch_by_batch;
    stats:
        ends_are_counted_once;
    tasks:
        every_task_has_a_name_of_its_own;
}
