//! Brokers: what every broker promises, shown on each of them; and what RabbitMQ adds: outages, blocking, people with
//! `rabbitmqctl`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod consuming;
mod dead_letters;
mod misuse;
mod outages;
mod own_broker;
mod publishing;
mod renewing;
mod support;

/// Makes a module for each broker that runs every case on it.
macro_rules! contract {
    ($($module:ident::$case:ident,)*) => {
        mod rabbitmq {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                crate::$module::$case(crate::support::Subject::rabbitmq().await).await;
            })*
        }

        mod in_process {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                crate::$module::$case(crate::support::Subject::in_process()).await;
            })*
        }
    };
}

contract! {
    publishing::a_published_job_arrives_as_it_was,
    publishing::every_caller_gets_its_own_outcomes_in_its_own_order,
    publishing::depth_counts_the_jobs_that_wait,
    publishing::a_closed_broker_publishes_and_delivers_nothing,
    consuming::an_acked_job_never_comes_again,
    consuming::no_more_than_the_prefetch_is_unsettled,
    consuming::a_subscription_takes_from_all_its_lanes,
    consuming::what_a_vanished_consumer_held_is_delivered_again,
    consuming::a_stale_ack_changes_nothing,
    consuming::a_pause_leaves_no_job_behind,
    consuming::a_lane_that_is_not_configured_cannot_be_subscribed_to,
    dead_letters::a_rejected_job_becomes_a_dead_letter,
    dead_letters::a_job_whose_consumers_vanish_becomes_a_dead_letter_after_the_limit,
    dead_letters::a_rejected_dead_letter_is_parked_and_does_not_block_the_next,
}
