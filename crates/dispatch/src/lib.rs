//! Between the database and the queue, for both sides: submitting, publishing, and the relay that acts on whatever is
//! due. The rules are those of `docs/architecture.md`.

mod publish;
mod relay;
mod submit;
mod task;
mod upkeep;
mod watch;

pub use publish::{DeadLetters, Publisher};
pub use relay::{MAX_LOSSES, Relay, RelayOptions, RelayWakeup, decide, lost_error, recover};
pub use submit::{
    Admission, AdmissionError, Admitted, Check, Compiled, Content, Object, Plans, Prepared, ROUNDS, Reader,
    Refusal, ReplayRequest, ReplayedRevision, Request, Submitter, problems_of,
};
pub use task::{Failure, Next, Pace, Task, Wakeup, drive};
pub use upkeep::{
    BacklogGauge, PauseResume, PruneOptions, Pruner, StatsAggregator, Upkeep, Wakeups, WorkflowDeletion,
    WorkflowRemoval, tasks,
};
pub use watch::{EndWatch, Follow, FollowLimits, Following, Full, Look, Progress};
