//! The message on the queue: small, versioned, and only a hint. The database is the truth.

use serde::{Deserialize, Serialize};

use crate::{ExecutionId, OrganizationId};

/// Asks whichever worker reads it to claim one attempt of one execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Which execution to claim.
    pub execution_id: ExecutionId,
    /// Whose it is; for logs and metrics only, since the claim reads the row.
    pub organization_id: OrganizationId,
    /// The row's `attempt` when the job was published. A claim raises it, so an old or doubled job claims nothing.
    pub attempt: i32,
}

/// A message that is no job that this version understands. It is parked, never retried.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Not JSON, or not of the job's shape.
    #[error("the message is not a job")]
    Malformed(#[from] serde_json::Error),
    /// Written by a version of Gristmill that this one does not know.
    #[error("the job has format version {0}, and this worker reads version {version}", version = Job::VERSION)]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize)]
struct Envelope<'a> {
    v: u32,
    #[serde(flatten)]
    job: &'a Job,
}

impl Job {
    /// The format version that [`Job::to_bytes`] writes.
    pub const VERSION: u32 = 1;

    /// The message body: `{"v":1,"executionId":…,"organizationId":…,"attempt":…}`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let envelope = Envelope {
            v: Self::VERSION,
            job: self,
        };
        // Strings and integers only: serialization has nothing that could fail.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }

    /// Reads a message body.
    ///
    /// # Errors
    /// [`JobError`] when the body is no job of a known version.
    pub fn from_bytes(body: &[u8]) -> Result<Self, JobError> {
        let Versioned { v } = serde_json::from_slice(body)?;
        if v != Self::VERSION {
            return Err(JobError::Version(v));
        }
        Ok(serde_json::from_slice(body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_the_wire() {
        let job = Job {
            execution_id: ExecutionId::new(),
            organization_id: OrganizationId::new(),
            attempt: 3,
        };
        assert_eq!(Job::from_bytes(&job.to_bytes()).unwrap(), job);
        assert!(job.to_bytes().starts_with(br#"{"v":1,"executionId":"wf_exec_"#));
    }

    #[test]
    fn a_message_of_another_shape_or_version_is_refused() {
        assert!(matches!(Job::from_bytes(b"hello"), Err(JobError::Malformed(_))));
        assert!(matches!(
            Job::from_bytes(br#"{"v":1}"#),
            Err(JobError::Malformed(_))
        ));
        assert!(matches!(
            Job::from_bytes(br#"{"v":2,"future":true}"#),
            Err(JobError::Version(2))
        ));
    }
}
