//! Leases: renewed, watched and, when they cannot be renewed, given up before anybody else may take them.
//!
//! All of it happens on a thread and a database connection of its own, so that neither a busy runtime nor an exhausted
//! pool can make a healthy worker lose what it holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_engine::{Command, Control};
use gristmill_store::{Answer, Protocol, System, Watched};
use metrics::{counter, gauge};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long before the end of its lease a worker stops: enough for effects in flight to be aborted, and for clocks that
/// run at slightly different speeds.
const MARGIN: Duration = Duration::from_secs(3);

/// How long a renewal or a look may take: within a lease of fifteen seconds there is time for several more.
const ANSWER: Duration = Duration::from_secs(2);

/// How long the first connection may take to open, with a statement prepared.
const FIRST: Duration = Duration::from_secs(5);

/// How often every holding is compared with what the database says; also how often renewals are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// How often the fences are looked at, by a task that waits for no database.
const FENCE_EVERY: Duration = Duration::from_millis(250);

/// What this worker holds.
#[derive(Clone)]
pub(crate) struct Leases {
    table: Arc<Mutex<HashMap<ExecutionId, Holding>>>,
    duration: Duration,
    draining: Arc<watch::Sender<bool>>,
}

struct Holding {
    attempt: i32,
    fence: Arc<Fence>,
    commands: watch::Sender<Control>,
}

/// Until when a holder may act.
struct Fence(Mutex<Good>);

#[derive(Clone, Copy)]
struct Good {
    /// When the last successful claim or renewal was sent.
    since: Instant,
    until: Instant,
}

/// One holding; dropping it lets go of the entry, not of the database's lease.
pub(crate) struct Lease {
    id: ExecutionId,
    attempt: i32,
    fence: Arc<Fence>,
    commands: watch::Receiver<Control>,
    leases: Leases,
}

impl Leases {
    /// No holdings yet; `duration` is what each claim and renewal asks for.
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            table: Arc::default(),
            duration,
            draining: Arc::new(watch::channel(false).0),
        }
    }

    /// Notes a claim whose statement was sent at `sent`: the lease began no earlier than that. `inbox` is how many messages had
    /// arrived then.
    pub(crate) fn hold(&self, id: ExecutionId, attempt: i32, inbox: i32, sent: Instant) -> Lease {
        let fence = Arc::new(Fence::new(sent, self.safe_until(sent)));
        let first = if *self.draining.borrow() {
            Command::Drain
        } else {
            Command::Run
        };
        let (sender, commands) = watch::channel(Control {
            command: first,
            inbox,
        });
        let holding = Holding {
            attempt,
            fence: fence.clone(),
            commands: sender,
        };
        // This very worker may claim what it lost: the earlier claim's effects must not run on beside the new ones.
        if let Some(earlier) = self.lock().insert(id.clone(), holding) {
            earlier.stop();
        }
        Lease {
            id,
            attempt,
            fence,
            commands,
            leases: self.clone(),
        }
    }

    /// Tells every execution, and every later one, to start nothing new and come to an end.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
        self.command_all(Command::Drain);
    }

    /// Tells every execution to stop at once and write nothing more.
    pub(crate) fn stop(&self) {
        self.command_all(Command::Stop);
    }

    fn command_all(&self, command: Command) {
        for holding in self.lock().values() {
            holding.commands.send_modify(|control| control.command = command);
        }
    }

    /// Starts the thread that renews and watches until `shutdown`. `store` has a connection of its own. Returns once that
    /// is open, or cannot be opened for now: over a slow link this takes longer than a claim's first renewal can wait.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) async fn keep(
        &self,
        store: Arc<dyn Protocol>,
        renew_every: Duration,
        shutdown: CancellationToken,
    ) -> std::io::Result<std::thread::JoinHandle<()>> {
        let leases = self.clone();
        let (opened, is_open) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("leases".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    leases.open(&*store).await;
                    // Nobody waits for it when the worker is given up already.
                    opened.send(()).ok();
                    tokio::join!(
                        shutdown.run_until_cancelled(leases.fence_all()),
                        shutdown.run_until_cancelled(leases.renew_and_watch(&*store, renew_every)),
                    )
                });
            })?;
        // An error means that the thread has ended, which is for its handle to tell.
        is_open.await.ok();
        Ok(thread)
    }

    /// Renews nothing, which opens the connection and prepares the statement. On the thread of the renewals: a connection
    /// lives on the runtime that opened it.
    async fn open(&self, store: &dyn Protocol) {
        if let Err(error) = within(FIRST, store.renew(System, &[], self.duration)).await {
            warn!(
                error = &*error,
                "the connection that renews leases is not open yet"
            );
        }
    }

    async fn fence_all(&self) {
        let mut tick = tokio::time::interval(FENCE_EVERY);
        loop {
            tick.tick().await;
            for (id, holding) in self.lock().iter().filter(|(_, holding)| !holding.fence.is_safe()) {
                if holding.stop() {
                    counter!("gristmill_leases_given_up_total", "reason" => "not_renewed").increment(1);
                    warn!(execution.id = %id, attempt = holding.attempt, "the lease could not be renewed in time; stopped");
                }
            }
        }
    }

    async fn renew_and_watch(&self, store: &dyn Protocol, renew_every: Duration) {
        let mut tick = tokio::time::interval(WATCH_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let holdings = self.holdings();
            gauge!("gristmill_executions_running").set(holdings.len() as f64);
            // Looked at with every tick: a row that was locked by its own journal commit was skipped, and is tried again a
            // second later, not a whole period.
            let due = self.due(renew_every.saturating_sub(WATCH_EVERY / 2));
            if !due.is_empty() {
                self.renew(store, &due).await;
            }
            if !holdings.is_empty() {
                self.watch(store, holdings.into_iter().map(|(id, _)| id).collect())
                    .await;
            }
        }
    }

    async fn renew(&self, store: &dyn Protocol, due: &[(ExecutionId, i32)]) {
        // Before it is sent: the lease runs from when the database sees it, which is later.
        let sent = Instant::now();
        match within(ANSWER, store.renew(System, due, self.duration)).await {
            Ok(renewed) => {
                let table = self.lock();
                for holding in renewed.iter().filter_map(|id| table.get(id)) {
                    holding.fence.renewed(sent, self.safe_until(sent));
                }
            }
            Err(error) => {
                counter!("gristmill_renewals_failed_total").increment(1);
                warn!(error = &*error, "leases could not be renewed");
            }
        }
    }

    async fn watch(&self, store: &dyn Protocol, ids: Vec<ExecutionId>) {
        match within(ANSWER, store.watch(System, &ids)).await {
            Ok(rows) => rows.iter().for_each(|row| self.compare(row)),
            Err(error) => warn!(error = &*error, "executions could not be watched"),
        }
    }

    fn compare(&self, row: &Watched) {
        let table = self.lock();
        let Some(holding) = table.get(&row.id) else { return };
        let mine = row.status == ExecutionStatus::Running && row.attempt == holding.attempt;
        // A row of an earlier attempt was read before this claim.
        if mine {
            holding.commands.send_if_modified(|control| {
                let news = control.inbox < row.inbox;
                control.inbox = control.inbox.max(row.inbox);
                news
            });
        } else if row.attempt >= holding.attempt && holding.stop() {
            counter!("gristmill_leases_given_up_total", "reason" => "taken_away").increment(1);
            info!(execution.id = %row.id, attempt = holding.attempt, status = %row.status, "no longer ours; stopped");
        }
    }

    /// What was last renewed at least `age` ago.
    fn due(&self, age: Duration) -> Vec<(ExecutionId, i32)> {
        let table = self.lock();
        let due = table.iter().filter(|(_, holding)| holding.fence.age() >= age);
        due.map(|(id, holding)| (id.clone(), holding.attempt)).collect()
    }

    fn holdings(&self) -> Vec<(ExecutionId, i32)> {
        self.lock()
            .iter()
            .map(|(id, holding)| (id.clone(), holding.attempt))
            .collect()
    }

    fn safe_until(&self, sent: Instant) -> Instant {
        sent + self.duration.saturating_sub(MARGIN)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Holding>> {
        // Nothing that holds this lock can panic half way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holding {
    /// Answers whether this was news.
    fn stop(&self) -> bool {
        self.commands.send_if_modified(|control| {
            let news = control.command != Command::Stop;
            control.command = Command::Stop;
            news
        })
    }
}

impl Fence {
    fn new(sent: Instant, until: Instant) -> Self {
        Self(Mutex::new(Good { since: sent, until }))
    }

    fn is_safe(&self) -> bool {
        Instant::now() < self.lock().until
    }

    fn age(&self) -> Duration {
        self.lock().since.elapsed()
    }

    fn renewed(&self, sent: Instant, until: Instant) {
        *self.lock() = Good { since: sent, until };
    }

    fn lock(&self) -> MutexGuard<'_, Good> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an answer, but not for long: on a connection that is silently dead none comes, and there is another one.
async fn within<T>(
    limit: Duration,
    answer: Answer<'_, T>,
) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => Ok(answer?),
        Err(elapsed) => Err(Box::new(elapsed)),
    }
}

impl Lease {
    /// What the execution is told to do.
    pub(crate) fn commands(&self) -> watch::Receiver<Control> {
        self.commands.clone()
    }

    /// Whether the holder may act: its last successful renewal was sent less than the lease minus the margin ago, and
    /// it was not told to stop. Monotonic time goes on while a process is stopped, so a worker that wakes up from a
    /// SIGSTOP sees at once that its time is over.
    pub(crate) fn is_safe(&self) -> bool {
        self.fence.is_safe() && self.commands.borrow().command != Command::Stop
    }

    /// Waits until the execution is told to stop.
    pub(crate) async fn stopped(&self) {
        let mut commands = self.commands.clone();
        // The sender lives in the table for as long as this lease does.
        drop(
            commands
                .wait_for(|control| control.command == Command::Stop)
                .await,
        );
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut table = self.leases.lock();
        // A later claim of the same execution by this same worker has its own entry.
        if table
            .get(&self.id)
            .is_some_and(|holding| holding.attempt == self.attempt)
        {
            table.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_may_act_until_three_seconds_before_its_lease_ends() {
        let leases = Leases::new(Duration::from_secs(15));
        let sent = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        assert!(leases.hold(ExecutionId::new(), 1, 0, sent(11)).is_safe());
        assert!(!leases.hold(ExecutionId::new(), 1, 0, sent(12)).is_safe());
    }

    #[test]
    fn a_holder_that_was_fenced_once_stays_stopped() {
        let leases = Leases::new(Duration::from_secs(15));
        let lease = leases.hold(ExecutionId::new(), 1, 0, Instant::now());
        leases.stop();
        lease
            .fence
            .renewed(Instant::now(), Instant::now() + Duration::from_secs(60));
        assert!(!lease.is_safe());
    }

    #[test]
    fn a_row_of_a_later_attempt_stops_the_holder_and_one_of_an_earlier_does_not() {
        let leases = Leases::new(Duration::from_secs(15));
        let lease = leases.hold(ExecutionId::new(), 2, 0, Instant::now());
        let row = |attempt, status| Watched {
            id: lease.id.clone(),
            status,
            attempt,
            claim_token: None,
            inbox: 0,
            journal_len: 0,
        };
        leases.compare(&row(1, ExecutionStatus::Pending));
        leases.compare(&row(2, ExecutionStatus::Running));
        assert!(lease.is_safe());
        leases.compare(&row(3, ExecutionStatus::Running));
        assert!(!lease.is_safe());
    }

    #[test]
    fn what_a_renewal_skipped_is_due_again_with_the_next_look() {
        let leases = Leases::new(Duration::from_secs(15));
        let sent = Instant::now().checked_sub(Duration::from_secs(6)).unwrap();
        let renewed = leases.hold(ExecutionId::new(), 1, 0, sent);
        let skipped = leases.hold(ExecutionId::new(), 1, 0, sent);
        assert_eq!(leases.due(Duration::from_secs(5)).len(), 2);
        renewed
            .fence
            .renewed(Instant::now(), leases.safe_until(Instant::now()));
        assert_eq!(leases.due(Duration::from_secs(5)), [(skipped.id.clone(), 1)]);
    }

    #[test]
    fn claiming_again_what_was_lost_stops_the_earlier_holder() {
        let leases = Leases::new(Duration::from_secs(15));
        let id = ExecutionId::new();
        let old = leases.hold(id.clone(), 1, 0, Instant::now());
        let new = leases.hold(id, 2, 0, Instant::now());
        assert!(!old.is_safe());
        assert_eq!(old.commands().borrow().command, Command::Stop);
        assert!(new.is_safe());
    }

    #[test]
    fn letting_go_of_an_old_claim_keeps_the_new_one() {
        let leases = Leases::new(Duration::from_secs(15));
        let id = ExecutionId::new();
        let old = leases.hold(id.clone(), 1, 0, Instant::now());
        let new = leases.hold(id.clone(), 2, 0, Instant::now());
        drop(old);
        assert_eq!(leases.holdings(), [(id, 2)]);
        drop(new);
        assert!(leases.holdings().is_empty());
    }
}
