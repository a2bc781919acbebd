//! The words that every other crate shares: definitions, ids, statuses, the journal's entries and the message on the
//! queue. No I/O and no async runtime: whatever is here can be tested with nothing running.

pub mod access;
mod backoff;
mod child_end;
mod definition;
mod error;
pub mod failpoint;
mod failure_input;
mod ids;
mod job;
pub mod journal;
mod limits;
mod logs;
mod problem;
mod shortened;
mod status;
mod totals;
mod wait_reason;

/// On an `async fn` that other crates await: boxes its future. The compiler generates the code of an `async fn` not where
/// it stands, but once more in each crate that awaits it, with all that it calls: every statement of the store was
/// compiled in the API, and again in the binary. What returns a box is compiled once, at home.
pub use async_recursion::async_recursion as boxed;
pub use backoff::jittered_pause;
pub use child_end::ChildEnd;
pub use definition::{Definition, Edge, KeptDays, Node, Settings};
pub use error::ExecutionError;
pub use failure_input::{FailedExecution, FailureInput};
pub use ids::{
    ApiKeyId, AuditEntryId, ExecutionId, OrganizationId, ParseIdError, TemplateId, UserId, WorkflowId,
};
pub use job::{Job, JobError};
pub use limits::Limits;
pub use logs::{LogEntry, logs};
pub use problem::{MAX_PROBLEMS, Path, Problem};
pub use shortened::shortened;
pub use status::{ExecutionStatus, ParseStatusError};
pub use totals::Totals;
pub use wait_reason::WaitReason;
