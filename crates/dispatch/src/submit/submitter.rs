//! Submitting: the request is recorded first and published second, so accepting work never depends on the broker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill_core::{Job, OrganizationId, boxed, failpoint};
use gristmill_queue::Outgoing;
use gristmill_store::{Group, GroupError, Protocol, Submit, Submitted, Tenant, one_by_one};
use metrics::counter;

use crate::Publisher;

/// How many organizations have a group at a time; one more, and all are let go of. A group that is let go of still answers
/// what was handed in, and whoever comes next starts another.
const MAX_GROUPS: usize = 1_000;

type Submits = Group<Submit, Submitted>;

/// Records executions, grouped with whatever else the organization submits at the same time, and hands their jobs to the
/// publisher.
///
/// Each organization has a group of its own: row-level security is set per transaction, so that a transaction belongs to
/// one of them, and whoever waits for a lock (of a month's count, of a key that is being used) keeps nobody else waiting.
#[derive(Clone)]
pub struct Submitter {
    recorder: Recorder,
    groups: Arc<Mutex<HashMap<Tenant, Submits>>>,
}

impl Submitter {
    /// A job whose confirm has not come after `publish_within` is published again by the relay.
    pub fn new(store: Arc<dyn Protocol>, publisher: Publisher, publish_within: Duration) -> Self {
        let recorder = Recorder {
            store,
            publisher,
            publish_within,
        };
        Self {
            recorder,
            groups: Arc::default(),
        }
    }

    /// Records one execution. Once this answers [`Submitted::Accepted`] it is committed and never lost, whether or not
    /// the broker is there.
    ///
    /// # Errors
    /// After a transient error the outcome is unknown: only a repeat with the same idempotency key is safe.
    #[boxed]
    pub async fn submit(&self, tenant: &Tenant, submit: Submit) -> Result<Submitted, GroupError> {
        self.group(tenant).call(submit).await
    }

    /// Records executions in this order, each like one that is submitted alone.
    #[boxed]
    pub async fn submit_all(
        &self,
        tenant: &Tenant,
        submits: Vec<Submit>,
    ) -> Vec<Result<Submitted, GroupError>> {
        self.group(tenant).call_all(submits).await
    }

    fn group(&self, tenant: &Tenant) -> Submits {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get(tenant) {
            return group.clone();
        }
        if groups.len() >= MAX_GROUPS {
            groups.clear();
        }
        let group = self.recorder.group(tenant.clone());
        groups.insert(tenant.clone(), group.clone());
        group
    }
}

#[derive(Clone)]
struct Recorder {
    store: Arc<dyn Protocol>,
    publisher: Publisher,
    publish_within: Duration,
}

impl Recorder {
    /// Starts the task behind a group; it ends with the group's last handle.
    fn group(&self, tenant: Tenant) -> Submits {
        let recorder = self.clone();
        let (group, _task) = Group::spawn("submit", move |submits| {
            let (recorder, tenant) = (recorder.clone(), tenant.clone());
            async move { recorder.record(&tenant, &submits).await }
        });
        group
    }

    async fn record(&self, tenant: &Tenant, submits: &[Submit]) -> Vec<Result<Submitted, GroupError>> {
        failpoint::reach("submit.begun");
        let submit = |part| self.store.submit(tenant, part, self.publish_within);
        let answers = one_by_one(submits, submit).await;
        failpoint::reach("submit.committed");
        publish(&self.publisher, &tenant.0, &answers);
        answers
    }
}

/// After the commit. If the process dies right here, the rows' `wake_at` brings the relay within `publish_within`.
fn publish(
    publisher: &Publisher,
    organization_id: &OrganizationId,
    answers: &[Result<Submitted, GroupError>],
) {
    let accepted: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(Submitted::Accepted(accepted)) => Some(accepted),
            _ => None,
        })
        .collect();
    counter!("gristmill_executions_accepted_total").increment(accepted.len() as u64);
    // What is to start later, or waits for its workflow, has no job yet: the relay publishes it when it is due.
    let due = accepted
        .into_iter()
        .filter(|accepted| !accepted.paused && accepted.starts_at.is_none());
    let jobs: Vec<_> = due
        .map(|accepted| {
            let job = Job {
                execution_id: accepted.id.clone(),
                organization_id: organization_id.clone(),
                attempt: 0,
            };
            Outgoing {
                lane: accepted.lane.as_str().into(),
                job,
            }
        })
        .collect();
    publisher.offer(jobs);
}
