//! Messages: jobs that are doubled, old, or none at all.

use std::sync::PoisonError;
use std::time::Duration;

use fastrand::Rng;
use gristmill_core::{ExecutionId, Job, OrganizationId};

use super::{Missed, Tormentor, pause};
use crate::settings::LANES;
use crate::soak::fault::MessageFault;

/// How many copies of a job are put into a queue.
const COPIES: usize = 20;

/// How often an execution is looked for.
const JOB_TRIES: u32 = 20;

const UNFINISHED: &str = "
    SELECT id, organization_id, attempt FROM executions WHERE completed_at IS NULL ORDER BY random() LIMIT 1";

const ANY: &str = "SELECT id, organization_id, 0 AS attempt FROM executions ORDER BY random() LIMIT 1";

impl Tormentor {
    pub(super) async fn put_messages(&self, how: MessageFault, rng: &mut Rng) -> Result<(), Missed> {
        let queues = &self.world.queues;
        // Any lane: a job is claimed by whoever gets it.
        let queue = queues.lane(LANES[rng.usize(..LANES.len())]);
        match how {
            MessageFault::Duplicate => {
                let job = self.job(UNFINISHED).await.ok_or(Missed)?;
                queues.put(&queue, &vec![job; COPIES]).await.ok_or(Missed)
            }
            MessageFault::Old => {
                let job = self.job(ANY).await.ok_or(Missed)?;
                queues.put(&queue, &[job]).await.ok_or(Missed)
            }
            MessageFault::Poison => {
                let body = poison(rng);
                // Before it is sent: it may arrive although nobody says so.
                self.poison
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(body.clone());
                queues.put(&queue, &[body]).await.ok_or(Missed)
            }
        }
    }

    /// The database may be down for a while, or everything have ended.
    async fn job(&self, sql: &str) -> Option<Vec<u8>> {
        for _ in 0..JOB_TRIES {
            let rows = self.world.database.ask(sql, &[]).await.unwrap_or_default();
            if let Some(row) = rows.first() {
                let job = Job {
                    execution_id: row.get::<_, &str>("id").parse().ok()?,
                    organization_id: row.get::<_, &str>("organization_id").parse().ok()?,
                    attempt: row.get("attempt"),
                };
                return Some(job.to_bytes());
            }
            pause(Duration::from_millis(200)).await;
        }
        None
    }
}

/// No JSON, a later version's, or a job of nobody.
fn poison(rng: &mut Rng) -> Vec<u8> {
    let number = rng.u64(..);
    match rng.u8(..3) {
        0 => format!("no job at all, and not even JSON: {number}").into_bytes(),
        1 => format!(r#"{{"v":99,"number":{number}}}"#).into_bytes(),
        _ => Job {
            execution_id: ExecutionId::new(),
            organization_id: OrganizationId::new(),
            attempt: 0,
        }
        .to_bytes(),
    }
}
