//! Submitting: the one way in for executions, from a request to a job on its way to the queue.

mod admission;
mod content;
mod plans;
mod replay;
mod request_hash;
mod submitter;

pub use admission::{Admission, AdmissionError, Admitted, Prepared, ROUNDS, Refusal, Request};
pub use content::{Content, Object};
pub use plans::{Check, Compiled, Plans, Reader, problems_of};
pub use replay::{ReplayRequest, ReplayedRevision};
pub use submitter::Submitter;
