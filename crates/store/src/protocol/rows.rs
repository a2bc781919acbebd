//! Rows: what the verbs of both databases read.

pub(crate) mod claimed_row;
pub(crate) mod counted;
pub(crate) mod due_row;
pub(crate) mod ended_row;
pub(crate) mod reopened;
pub(crate) mod watched_row;
