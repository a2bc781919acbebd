//! What stands between a request and its execution, on both databases.

#![allow(clippy::unwrap_used, reason = "a broken promise ends the test")]

mod admission;
mod mill;
mod plans;
mod replay;

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
}
