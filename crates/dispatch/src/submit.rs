//! Submitting: the one way in for executions.

mod submitter;

pub use submitter::Submitter;
