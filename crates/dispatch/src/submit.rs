//! Submitting: the request is recorded first and published second, so accepting work never depends on the broker.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gristmill_core::{Job, OrganizationId, failpoint};
use gristmill_queue::Outgoing;
use gristmill_store::{Protocol, Submit, Submitted, Tenant};
use metrics::counter;

use crate::{Error, Group, Publisher, one_by_one};

/// Records executions, grouped with whatever else is submitted at the same time, and hands their jobs to the publisher.
#[derive(Clone)]
pub struct Submitter {
    group: Group<(Tenant, Submit), Submitted>,
}

impl Submitter {
    /// Starts the task behind it; it ends with the last handle. A job whose confirm has not come after
    /// `publish_within` is published again by the relay.
    pub fn new(store: Arc<dyn Protocol>, publisher: Publisher, publish_within: Duration) -> Self {
        let (group, _task) = Group::spawn("submit", move |members| {
            let (store, publisher) = (store.clone(), publisher.clone());
            async move { submit_all(&*store, &publisher, publish_within, members).await }
        });
        Self { group }
    }

    /// Records one execution. Once this answers [`Submitted::Accepted`] it is committed and never lost, whether or not
    /// the broker is there.
    ///
    /// # Errors
    /// After a transient error the outcome is unknown: only a repeat with the same idempotency key is safe.
    pub async fn submit(&self, tenant: Tenant, submit: Submit) -> Result<Submitted, Error> {
        self.group.call((tenant, submit)).await
    }

    /// Records executions in this order, each like one that is submitted alone.
    pub async fn submit_all(&self, tenant: &Tenant, submits: Vec<Submit>) -> Vec<Result<Submitted, Error>> {
        let members = submits.into_iter().map(|submit| (tenant.clone(), submit));
        self.group.call_all(members.collect()).await
    }
}

/// A transaction belongs to one tenant, because row-level security is set per transaction: so a group is split by
/// organization, and the parts run side by side.
async fn submit_all(
    store: &dyn Protocol,
    publisher: &Publisher,
    publish_within: Duration,
    members: Vec<(Tenant, Submit)>,
) -> Vec<Result<Submitted, Error>> {
    let mut parts: Vec<(Tenant, Vec<usize>, Vec<Submit>)> = Vec::new();
    let total = members.len();
    for (place, (tenant, submit)) in members.into_iter().enumerate() {
        match parts.iter_mut().find(|(known, ..)| *known == tenant) {
            Some((_, places, submits)) => {
                places.push(place);
                submits.push(submit);
            }
            None => parts.push((tenant, vec![place], vec![submit])),
        }
    }
    let done = join_all(parts.into_iter().map(|(tenant, places, submits)| async move {
        failpoint::reach("submit.begun");
        let answers = one_by_one(&submits, |part| store.submit(&tenant, part, publish_within)).await;
        failpoint::reach("submit.committed");
        publish(publisher, &tenant.0, &answers);
        (places, answers)
    }))
    .await;
    let mut results: Vec<_> = (0..total).map(|_| Err(Error::Stopped)).collect();
    for (places, answers) in done {
        for (place, answer) in places.into_iter().zip(answers) {
            results[place] = answer;
        }
    }
    results
}

/// After the commit. If the process dies right here, the rows' `wake_at` brings the relay within `publish_within`.
fn publish(publisher: &Publisher, organization_id: &OrganizationId, answers: &[Result<Submitted, Error>]) {
    let accepted: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(Submitted::Accepted(accepted)) => Some(accepted),
            _ => None,
        })
        .collect();
    counter!("gristmill_executions_accepted_total").increment(accepted.len() as u64);
    // What is to start later, or is held, has no job yet: the relay publishes it when it is due.
    let due = accepted
        .into_iter()
        .filter(|accepted| !accepted.held && accepted.starts_at.is_none());
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
                traceparent: None,
            }
        })
        .collect();
    publisher.offer(jobs);
}
