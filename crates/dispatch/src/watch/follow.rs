//! Following executions, for streams of events: one statement for everyone who follows, never one poll each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill_core::{ExecutionId, ExecutionStatus, OrganizationId, boxed};
use gristmill_store::{Protocol, System, Watched};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tracing::warn;

/// How an execution stood when it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Its status.
    pub status: ExecutionStatus,
    /// How often a worker had claimed it.
    pub attempt: i32,
    /// How many journal entries there were.
    pub journal_len: i32,
}

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It has not been looked at yet.
    NotYet,
    /// How it stood.
    There(Progress),
    /// It has been deleted.
    Gone,
}

/// How many may follow at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowLimits {
    /// All together.
    pub process: usize,
    /// Those of one organization: nobody takes every place.
    pub organization: usize,
}

/// Why nobody more may follow for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The process has as many as it takes.
    Process,
    /// The organization has as many as it may.
    Organization,
}

/// The pause between two statements, for each execution that is followed, and its bounds: a look costs the database two or
/// three microseconds, and nobody who reads along needs to know within milliseconds.
const PAUSE_PER_EXECUTION: Duration = Duration::from_micros(50);
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Whoever looks at executions on behalf of all who follow them. Clones share it; the task behind it ends with the last.
#[derive(Clone)]
pub struct Follow {
    shared: Arc<Shared>,
    /// Tells the task that the last handle is gone.
    _alive: Arc<watch::Sender<()>>,
}

struct Shared {
    limits: FollowLimits,
    places: Mutex<Places>,
    /// There is something to look at.
    begun: Notify,
}

#[derive(Default)]
struct Places {
    taken: usize,
    by_organization: HashMap<OrganizationId, usize>,
    followed: HashMap<ExecutionId, watch::Sender<Look>>,
}

/// One who follows one execution. Dropping it gives its place back.
pub struct Following {
    looks: watch::Receiver<Look>,
    shared: Arc<Shared>,
    organization: OrganizationId,
}

impl Follow {
    /// Starts the task behind it.
    pub fn new(store: Arc<dyn Protocol>, limits: FollowLimits) -> Self {
        let shared = Arc::new(Shared {
            limits,
            places: Mutex::default(),
            begun: Notify::new(),
        });
        let (alive, mut gone) = watch::channel(());
        let looking = Arc::clone(&shared);
        tokio::spawn(async move {
            tokio::select! {
                () = look_at_all(&looking, &*store) => {}
                // Nothing is ever sent: this is the end of the sender.
                _ = gone.changed() => {}
            }
            // Whoever still follows is told that nothing more comes.
            looking.places().followed.clear();
        });
        Self {
            shared,
            _alive: Arc::new(alive),
        }
    }

    /// Follows an execution on behalf of an organization, which is its own: the caller has made sure of that.
    ///
    /// # Errors
    /// When so many follow already.
    pub fn follow(&self, organization: OrganizationId, id: ExecutionId) -> Result<Following, Full> {
        let mut places = self.shared.places();
        if places.taken >= self.shared.limits.process {
            return Err(Full::Process);
        }
        let taken = places.by_organization.entry(organization.clone()).or_default();
        if *taken >= self.shared.limits.organization {
            return Err(Full::Organization);
        }
        *taken += 1;
        places.taken += 1;
        let looks = places
            .followed
            .entry(id)
            .or_insert_with(|| watch::Sender::new(Look::NotYet))
            .subscribe();
        drop(places);
        self.shared.begun.notify_one();
        Ok(Following {
            looks,
            shared: Arc::clone(&self.shared),
            organization,
        })
    }
}

impl Following {
    /// How it stands, once that is something else than `known`. Looks are never older than one that was answered before.
    /// `None` at the end of the process.
    #[boxed]
    pub async fn other_than(&mut self, known: Look) -> Option<Look> {
        let news = self
            .looks
            .wait_for(|look| *look != known && *look != Look::NotYet)
            .await;
        news.ok().map(|look| *look)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut places = self.shared.places();
        places.taken -= 1;
        if let Some(taken) = places.by_organization.get_mut(&self.organization) {
            *taken -= 1;
            if *taken == 0 {
                places.by_organization.remove(&self.organization);
            }
        }
        // The execution itself is let go before the next look: by then this receiver is gone.
    }
}

impl Shared {
    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What somebody still follows.
    fn followed(&self) -> Vec<ExecutionId> {
        let mut places = self.places();
        places.followed.retain(|_, looks| looks.receiver_count() > 0);
        places.followed.keys().cloned().collect()
    }

    /// Tells those who follow what has changed. What the statement did not find has been deleted.
    fn tell(&self, ids: &[ExecutionId], found: Vec<Watched>) {
        let mut found: HashMap<_, _> = found
            .into_iter()
            .map(|watched| (watched.id.clone(), watched))
            .collect();
        let places = self.places();
        for id in ids {
            let look = found.remove(id).map_or(Look::Gone, |watched| {
                Look::There(Progress {
                    status: watched.status,
                    attempt: watched.attempt,
                    journal_len: watched.journal_len,
                })
            });
            if let Some(looks) = places.followed.get(id) {
                looks.send_if_modified(|last| std::mem::replace(last, look) != look);
            }
        }
    }
}

async fn look_at_all(shared: &Shared, store: &dyn Protocol) {
    loop {
        let ids = shared.followed();
        if ids.is_empty() {
            shared.begun.notified().await;
            continue;
        }
        match store.watch(System, &ids).await {
            Ok(found) => shared.tell(&ids, found),
            Err(error) => warn!(
                error = &error as &dyn std::error::Error,
                "could not look at the executions that are followed"
            ),
        }
        sleep(pause(ids.len())).await;
    }
}

fn pause(executions: usize) -> Duration {
    let executions = u32::try_from(executions).unwrap_or(u32::MAX);
    PAUSE_PER_EXECUTION
        .saturating_mul(executions)
        .clamp(PAUSES.0, PAUSES.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_further_apart_the_more_is_followed() {
        assert_eq!(pause(1), Duration::from_millis(100));
        assert_eq!(pause(10_000), Duration::from_millis(500));
        assert_eq!(pause(1_000_000), Duration::from_secs(1));
    }
}
