//! Between the database and the queue, for both sides: submitting, publishing, and the relay that acts on whatever is
//! due. The rules are those of `docs/architecture.md` §3 and §4.

mod dead_letters;
mod error;
mod follow;
mod group;
mod publisher;
mod relay;
mod submit;
mod task;
mod upkeep;
mod wait;

pub use dead_letters::DeadLetters;
pub use error::Error;
pub use follow::{Follow, FollowLimits, Following, Full, Look, Progress};
pub use group::{Group, one_by_one};
pub use publisher::Publisher;
pub use relay::{MAX_LOSSES, Relay, RelayOptions, RelayWakeup, decide, lost_error, recover};
pub use submit::Submitter;
pub use task::{Failure, Next, Pace, Task, Wakeup, drive};
pub use upkeep::{
    BacklogGauge, PauseResume, PruneOptions, Pruner, StatsAggregator, Upkeep, Wakeups, WorkflowDeletion,
    WorkflowRemoval, tasks,
};
pub use wait::EndWatch;
