//! Watching: looks at executions on behalf of whoever waits for them.

mod ends;
mod follow;

pub use ends::EndWatch;
pub use follow::{Follow, FollowLimits, Following, Full, Look, Progress};
