//! The relay: the background task that acts on executions whose `wake_at` has come. Every process runs one; they share
//! the work by skipping each other's locked rows.

mod decide;
mod startup;
mod wakeup;
mod window;

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::failpoint;
use gristmill_queue::Outgoing;
use gristmill_store::{Due, Protocol, Sweep, System, Wake};
use metrics::{counter, gauge};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Publisher;
use crate::task::paced;
use window::Window;

pub use decide::{MAX_LOSSES, decide, lost_error};
pub use startup::recover;
pub use wakeup::Bell;

/// How the relay works.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// How often it looks when there is nothing to do.
    pub interval: Duration,
    /// How many executions it takes at a time; when it finds that many it looks again at once.
    pub limit: i64,
    /// How long a published job's confirm is waited for; after it the relay publishes again.
    pub publish_within: Duration,
    /// The workers' lease: the relay reaps only after its own polls have succeeded without a gap for this long.
    pub lease: Duration,
}

/// Acts on whatever is due.
pub struct Relay {
    store: Arc<dyn Protocol>,
    publisher: Publisher,
    bell: Bell,
    options: RelayOptions,
    health: Health,
    window: Window,
}

/// What one look came to.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// There may be more: look again at once.
    Full,
    /// The publisher has as much as it may have: look again when the broker has taken some of it.
    NoRoom,
    /// That was all.
    Done,
}

impl Relay {
    /// A relay that publishes through `publisher`, and looks early when `bell` is rung.
    pub fn new(store: Arc<dyn Protocol>, publisher: Publisher, bell: Bell, options: RelayOptions) -> Self {
        let health = Health {
            lease: options.lease,
            gap: options.interval * 3 + GRACE,
            since: None,
            last: None,
        };
        Self {
            store,
            publisher,
            bell,
            window: Window::new(options.lease),
            options,
            health,
        }
    }

    /// Works until `shutdown`. A poll under way is carried to its end: its rows are locked until it commits.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut backlog_due = Instant::now();
        while !shutdown.is_cancelled() {
            let look = self.poll().await;
            let began = Instant::now();
            if began >= backlog_due {
                self.measure_backlog().await;
                backlog_due = Instant::now() + paced(BACKLOG_EVERY, began.elapsed());
            }
            let pause = async {
                match look {
                    Look::Full => {}
                    Look::NoRoom => tokio::time::sleep(ROOM_AFTER).await,
                    Look::Done => {
                        tokio::select! {
                            () = tokio::time::sleep(self.options.interval) => {}
                            () = self.bell.rung() => {}
                        }
                    }
                }
            };
            shutdown.run_until_cancelled(pause).await;
        }
    }

    /// One look.
    async fn poll(&mut self) -> Look {
        // Without a broker there is no use in moving `wake_at` along: whatever is due stays due.
        // A poll that was not made is no failed one: whether it left a gap is for the health to say.
        if !self.publisher.has_room() {
            return if self.publisher.is_busy() {
                Look::NoRoom
            } else {
                Look::Done
            };
        }
        let now = Instant::now();
        let reap = self.health.may_reap(now);
        let look = self.window.look(now, reap);
        let again_in = self.options.publish_within;
        let rule = |due: &Due| decide(due, again_in, fastrand::f64());
        let sweep = Sweep {
            limit: self.options.limit,
            reap,
            back: look.back,
        };
        match self.store.relay(System, sweep, &rule).await {
            Ok(done) => {
                self.health.succeeded(Instant::now());
                let full = done.len() as i64 >= self.options.limit;
                self.window.looked(&look, Instant::now(), full);
                self.publish(done);
                if full { Look::Full } else { Look::Done }
            }
            Err(error) => {
                self.health.broken();
                self.window.broken();
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the relay could not look for due executions"
                );
                Look::Done
            }
        }
    }

    /// If the process dies right here, `wake_at` brings a relay back to these rows within `publish_within`.
    fn publish(&self, done: Vec<(Due, Wake)>) {
        if !done.is_empty() {
            failpoint::reach("relay.claimed");
        }
        let mut jobs = Vec::new();
        for (due, wake) in done {
            note(&due, &wake);
            match wake {
                Wake::Publish { .. } | Wake::Start { .. } | Wake::Reap { .. } => {
                    let lane = due.lane.as_str().into();
                    jobs.push(Outgoing {
                        lane,
                        job: due.job,
                        traceparent: None,
                    });
                }
                Wake::Pause { .. } | Wake::Hold | Wake::Fail { .. } | Wake::Expire { .. } | Wake::Leave => {}
            }
        }
        self.publisher.offer(jobs);
    }

    async fn measure_backlog(&self) {
        match self.store.backlog(System).await {
            Ok(backlog) => {
                gauge!("gristmill_queue_age_seconds").set(backlog.oldest_pending.as_secs_f64());
                gauge!("gristmill_relay_lag_seconds").set(backlog.relay_lag.as_secs_f64());
            }
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the backlog could not be measured"
                );
            }
        }
    }
}

/// The pause while the publisher is full: thousands that are due together leave within a second or two.
const ROOM_AFTER: Duration = Duration::from_millis(20);

/// How often the backlog is measured.
const BACKLOG_EVERY: Duration = Duration::from_secs(5);

/// What a poll may take on top of three intervals before it counts as a gap.
const GRACE: Duration = Duration::from_secs(2);

fn note(due: &Due, wake: &Wake) {
    let action = match wake {
        Wake::Publish { .. } if due.published => "republish",
        Wake::Publish { .. } => "publish",
        Wake::Start { .. } => "start",
        Wake::Reap { .. } => "reap",
        Wake::Pause { .. } => "pause",
        Wake::Hold => "hold",
        Wake::Fail { .. } => "fail",
        Wake::Expire { .. } => "expire",
        Wake::Leave => "leave",
    };
    counter!("gristmill_relay_actions_total", "action" => action).increment(1);
    if matches!(wake, Wake::Reap { .. } | Wake::Pause { .. } | Wake::Fail { .. }) {
        counter!("gristmill_losses_total").increment(1);
        info!(
            execution.id = %due.job.execution_id,
            organization.id = %due.job.organization_id,
            attempt = due.job.attempt,
            losses = due.losses + 1,
            action,
            "a lease ran out"
        );
    }
}

/// Whether this relay has seen the database well for long enough to judge leases. While a database is frozen no worker
/// can renew; the first poll after the thaw would otherwise fail a healthy fleet. The same holds for a relay that was
/// itself stopped for a while.
struct Health {
    lease: Duration,
    gap: Duration,
    since: Option<Instant>,
    last: Option<Instant>,
}

impl Health {
    fn may_reap(&self, now: Instant) -> bool {
        let unbroken = self.last.is_some_and(|last| now - last <= self.gap);
        unbroken && self.since.is_some_and(|since| now - since >= self.lease)
    }

    fn succeeded(&mut self, now: Instant) {
        let unbroken = self.last.is_some_and(|last| now - last <= self.gap);
        if !unbroken || self.since.is_none() {
            self.since = Some(now);
        }
        self.last = Some(now);
    }

    fn broken(&mut self) {
        self.since = None;
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_judged_only_after_a_whole_lease_of_unbroken_polls() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let lease = Duration::from_secs(15);
        let mut health = Health {
            lease,
            gap: Duration::from_secs(5),
            since: None,
            last: None,
        };
        for second in 0..=15 {
            assert!(!health.may_reap(at(second)) || second == 15, "after {second} s");
            health.succeeded(at(second));
        }
        assert!(health.may_reap(at(16)));
        // A failed poll, or one that took too long, starts the wait anew.
        health.broken();
        assert!(!health.may_reap(at(17)));
        health.succeeded(at(17));
        health.succeeded(at(40));
        assert!(!health.may_reap(at(41)));
    }
}
