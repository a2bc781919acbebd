//! Relay: the background task that acts on executions whose `wake_at` has come. Processes share the work by skipping each
//! other's locked rows.

mod decide;
mod startup;
mod wakeup;
mod window;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_core::failpoint;
use gristmill_queue::Outgoing;
use gristmill_store::{Due, Protocol, Sweep, System, Wake};
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::Publisher;
use crate::task::{Failure, Next, Pace, Task};
use window::Window;

pub use decide::{MAX_LOSSES, decide, lost_error};
pub use startup::recover;
pub use wakeup::RelayWakeup;

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
    wakeup: RelayWakeup,
    options: RelayOptions,
    health: Health,
    window: Window,
}

impl Relay {
    /// A relay that publishes through `publisher`, and looks early when `wakeup` wakes it.
    pub fn new(
        store: Arc<dyn Protocol>,
        publisher: Publisher,
        wakeup: RelayWakeup,
        options: RelayOptions,
    ) -> Self {
        let health = Health {
            lease: options.lease,
            gap: options.interval * 3 + GRACE,
            since: None,
            last: None,
        };
        Self {
            store,
            publisher,
            wakeup,
            window: Window::new(options.lease),
            options,
            health,
        }
    }

    /// One look.
    async fn poll(&mut self) -> Result<Next, Failure> {
        // Without a broker there is no use in moving `wake_at` along: whatever is due stays due.
        // A poll that was not made is no failed one: whether it left a gap is for the health to say.
        if !self.publisher.has_room() {
            return Ok(if self.publisher.is_busy() {
                Next::Again(ROOM_AFTER)
            } else {
                Next::Later
            });
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
                Ok(Next::again_if(full))
            }
            Err(error) => {
                self.health.broken();
                self.window.broken();
                Err(error.into())
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
                    jobs.push(Outgoing { lane, job: due.job });
                }
                Wake::Pause { .. }
                | Wake::AwaitResume
                | Wake::Fail { .. }
                | Wake::Expire { .. }
                | Wake::Leave => {}
            }
        }
        self.publisher.offer(jobs);
    }
}

impl Task for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }

    /// Whoever waits for a timer or a lost worker waits for it. What a look costs is for its [`Window`] to bound.
    fn pace(&self) -> Pace {
        Pace::steady(self.options.interval)
    }

    fn run<'a>(&'a mut self, _stop: &'a CancellationToken) -> BoxFuture<'a, Result<Next, Failure>> {
        self.poll().boxed()
    }

    fn woken(&mut self) -> BoxFuture<'_, ()> {
        self.wakeup.woken().boxed()
    }
}

/// The pause while the publisher is full: thousands that are due together leave within a second or two.
const ROOM_AFTER: Duration = Duration::from_millis(20);

/// What a poll may take on top of three intervals before it counts as a gap.
const GRACE: Duration = Duration::from_secs(2);

fn note(due: &Due, wake: &Wake) {
    let action = match wake {
        Wake::Publish { .. } if due.published => "republish",
        Wake::Publish { .. } => "publish",
        Wake::Start { .. } => "start",
        Wake::Reap { .. } => "reap",
        Wake::Pause { .. } => "pause",
        Wake::AwaitResume => "hold",
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
