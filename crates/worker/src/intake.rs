//! Taking work in: jobs off the queue, claims in the database, acknowledgements after the commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;
use gristmill_core::{ExecutionId, Job, failpoint};
use gristmill_queue::{Delivery, Subscription};
use gristmill_store::{Claim, ClaimAnswer, Claimed, Error, Protocol, System};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use uuid::Uuid;

/// How long all slots may be taken before prefetched jobs are handed back for others to run.
const FULL_FOR: Duration = Duration::from_secs(1);

/// How long to wait before a claim is tried again while the database is away.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// How long to wait before jobs are tried again that could not be claimed, because their rows were locked. Most locks
/// are another statement's, and gone within milliseconds.
const RETRY_LOCKED_AFTER: Duration = Duration::from_millis(100);

/// Which execution, at which attempt.
type Key = (ExecutionId, i32);

/// Where executions come in.
pub(crate) struct Intake {
    pub(crate) subscription: Box<dyn Subscription>,
    /// Prefetched and not handed back yet.
    pub(crate) unclaimed: Vec<Delivery>,
    /// To be claimed again: not now, but sooner than any `wake_at` would bring them back.
    pub(crate) postponed: Vec<Delivery>,
    pub(crate) store: Arc<dyn Protocol>,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) worker: String,
    pub(crate) lease: Duration,
}

/// A job that is still good and was not claimed.
enum Left {
    /// To be claimed again in a moment.
    Postponed,
    /// Its organization runs as much as it may: whoever has a slot when it is offered again may try.
    OverLimit,
}

/// A claimed execution on its way to being run.
pub(crate) struct Taken {
    pub(crate) claimed: Claimed,
    pub(crate) token: Uuid,
    /// When the claim was sent: the lease began no earlier.
    pub(crate) sent: Instant,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Intake {
    /// Takes jobs for as many slots as are free, claims their executions and acknowledges the jobs. `None` when
    /// `shutdown` comes first or the subscription has ended.
    pub(crate) async fn take(&mut self, shutdown: &CancellationToken) -> Option<Vec<Taken>> {
        let first = shutdown.run_until_cancelled(self.free_slot()).await?;
        let mut deliveries = shutdown.run_until_cancelled(self.next()).await??;
        let mut permits = vec![first];
        while let Ok(permit) = self.slots.clone().try_acquire_owned() {
            let next = self.postponed.pop();
            match next.or_else(|| self.subscription.next().now_or_never().flatten()) {
                Some(delivery) => deliveries.push(delivery),
                None => break,
            }
            permits.push(permit);
        }
        let (jobs, deliveries) = read_jobs(deliveries).await;
        failpoint::reach("job.delivered");
        // The slots of jobs that claimed nothing are free from here on.
        let (taken, left) = self.claim(&jobs, permits, shutdown).await;
        if !taken.is_empty() {
            failpoint::reach("job.claimed");
        }
        let (mut done, mut returned) = (Vec::with_capacity(jobs.len()), Vec::new());
        for (job, delivery) in jobs.iter().zip(deliveries) {
            match left.get(job) {
                None => done.push(delivery),
                Some(Left::Postponed) => self.postponed.push(delivery),
                Some(Left::OverLimit) => returned.push(delivery),
            }
        }
        // After the commit: from here the lease guards the executions. A job whose acknowledgement is lost comes again
        // and claims nothing. Jobs that claimed nothing are acknowledged as well: their executions have moved on.
        acknowledge(done).await;
        if !taken.is_empty() {
            failpoint::reach("job.acknowledged");
        }
        // Should the database not take them, they are claimed again, and refused or not.
        let refused = self.return_jobs(returned).await;
        self.postponed.extend(refused);
        Some(taken)
    }

    /// The next job, or one that was postponed a moment ago. `None` when the subscription has ended.
    async fn next(&mut self) -> Option<Vec<Delivery>> {
        if self.postponed.is_empty() {
            return Some(vec![self.subscription.next().await?]);
        }
        match tokio::time::timeout(RETRY_LOCKED_AFTER, self.subscription.next()).await {
            Ok(next) => Some(vec![next?]),
            Err(_) => Some(self.postponed.pop().into_iter().collect()),
        }
    }

    /// Stops taking and hands back what was prefetched. What the database does not take now, the broker delivers to
    /// others once the subscription is closed.
    pub(crate) async fn close(mut self) {
        self.unclaimed.append(&mut self.postponed);
        self.hand_all_back().await;
        self.subscription.close().await;
    }

    /// Waits for a free slot. While none comes, what was prefetched is handed back: another worker may have one.
    async fn free_slot(&mut self) -> OwnedSemaphorePermit {
        let acquire = self.slots.clone().acquire_owned();
        tokio::pin!(acquire);
        if let Ok(permit) = tokio::time::timeout(FULL_FOR, &mut acquire).await {
            return expect_open(permit);
        }
        let permit = loop {
            if self.hand_all_back().await {
                break acquire.await;
            }
            if let Ok(permit) = tokio::time::timeout(RETRY_AFTER, &mut acquire).await {
                break permit;
            }
        };
        // What could not be handed back before a slot was free may as well be run here.
        self.postponed.append(&mut self.unclaimed);
        self.subscription.resume().await;
        expect_open(permit)
    }

    /// Stops the deliveries, and hands back what was prefetched. Answers whether it worked; what was not handed back is kept
    /// for the next try.
    async fn hand_all_back(&mut self) -> bool {
        self.unclaimed.extend(self.subscription.pause().await);
        let unclaimed = std::mem::take(&mut self.unclaimed);
        self.unclaimed = self.return_jobs(unclaimed).await;
        self.unclaimed.is_empty()
    }

    /// Through the database, not by a requeue: a requeue counts towards the delivery limit and jumps the queue. Answers with
    /// what was not handed back.
    async fn return_jobs(&mut self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let (jobs, deliveries) = read_jobs(deliveries).await;
        if jobs.is_empty() {
            return deliveries;
        }
        match self.store.return_jobs(System, &jobs).await {
            // After the commit: if the process dies in between, the broker delivers these again as well.
            Ok(()) => {
                debug!(jobs = jobs.len(), "handed jobs back");
                counter!("gristmill_jobs_handed_back_total").increment(jobs.len() as u64);
                acknowledge(deliveries).await;
                Vec::new()
            }
            Err(error) => {
                warn!(
                    jobs = jobs.len(),
                    error = &error as &dyn std::error::Error,
                    "jobs could not be handed back yet"
                );
                deliveries
            }
        }
    }

    /// Claims, as often as it takes. Every try carries the same token, so a try whose answer was lost is repeated
    /// without losing what it claimed. Answers also with the jobs that are still good and were not claimed.
    async fn claim(
        &mut self,
        jobs: &[Key],
        mut permits: Vec<OwnedSemaphorePermit>,
        shutdown: &CancellationToken,
    ) -> (Vec<Taken>, HashMap<Key, Left>) {
        let claim = Claim {
            token: Uuid::new_v4(),
            worker: self.worker.clone(),
            lease: self.lease,
        };
        let (mut taken, mut left) = (Vec::with_capacity(jobs.len()), HashMap::new());
        let mut pending: Vec<&[Key]> = Vec::from_iter((!jobs.is_empty()).then_some(jobs));
        while let Some(part) = pending.pop() {
            let sent = Instant::now();
            match self.store.claim(System, part, &claim).await {
                Ok(answers) => {
                    let before = taken.len();
                    for (job, answer) in part.iter().zip(answers) {
                        match answer {
                            ClaimAnswer::Claimed(claimed) => {
                                taken.extend(permits.pop().map(|permit| Taken {
                                    claimed: *claimed,
                                    token: claim.token,
                                    sent,
                                    permit,
                                }))
                            }
                            ClaimAnswer::Locked => drop(left.insert(job.clone(), Left::Postponed)),
                            ClaimAnswer::OverLimit => drop(left.insert(job.clone(), Left::OverLimit)),
                            ClaimAnswer::Stale => {}
                        }
                    }
                    note_claims(part.len(), taken.len() - before);
                }
                // Away: nothing else can be claimed either.
                Err(cause @ (Error::Connect(_) | Error::Lost(_))) => {
                    error!(
                        jobs = part.len(),
                        error = &cause as &dyn std::error::Error,
                        "jobs could not be claimed yet"
                    );
                    pending.push(part);
                    let pause = tokio::time::sleep(RETRY_AFTER);
                    if shutdown.run_until_cancelled(pause).await.is_none() {
                        // Not acknowledged: whoever gets them next claims them. One that is claimed after all, by a try
                        // whose answer was lost, claims nothing a second time, and its lease runs out.
                        let jobs = pending.drain(..).flatten().cloned();
                        left.extend(jobs.map(|job| (job, Left::Postponed)));
                    }
                }
                // One member's fault, perhaps: the others are claimed without it.
                Err(_) if part.len() > 1 => pending.extend(part.chunks(1)),
                Err(cause) => {
                    let (id, attempt) = &part[0];
                    error!(execution.id = %id, attempt, error = &cause as &dyn std::error::Error, "not claimed");
                    // What no repeat can mend is acknowledged, and `wake_at` brings it back.
                    let jobs = part.iter().filter(|_| cause.is_transient()).cloned();
                    left.extend(jobs.map(|job| (job, Left::Postponed)));
                }
            }
        }
        (taken, left)
    }
}

/// Side by side: on a connection that is dying each may take its time, and what was claimed is not renewed before it is
/// started.
async fn acknowledge(deliveries: impl IntoIterator<Item = Delivery>) {
    join_all(deliveries.into_iter().map(Delivery::ack)).await;
}

fn note_claims(jobs: usize, claimed: usize) {
    counter!("gristmill_claims_total", "outcome" => "claimed").increment(claimed as u64);
    let stale = jobs.saturating_sub(claimed);
    counter!("gristmill_claims_total", "outcome" => "stale").increment(stale as u64);
}

fn expect_open(permit: Result<OwnedSemaphorePermit, tokio::sync::AcquireError>) -> OwnedSemaphorePermit {
    match permit {
        Ok(permit) => permit,
        Err(_) => unreachable!("the slots are never closed"),
    }
}

/// Reads what was delivered; what is no job goes to the dead letters.
async fn read_jobs(deliveries: Vec<Delivery>) -> (Vec<(ExecutionId, i32)>, Vec<Delivery>) {
    let mut jobs = Vec::with_capacity(deliveries.len());
    let mut readable = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        match Job::from_bytes(&delivery.body) {
            Ok(job) => {
                jobs.push((job.execution_id, job.attempt));
                readable.push(delivery);
            }
            Err(error) => {
                counter!("gristmill_jobs_unreadable_total").increment(1);
                error!(
                    error = &error as &dyn std::error::Error,
                    "a message is no job; it goes to the dead letters"
                );
                delivery.reject().await;
            }
        }
    }
    (jobs, readable)
}
