//! Between the database and the queue, for both sides: submitting, publishing, and the relay that acts on whatever is
//! due. The rules are those of `docs/architecture.md` §3 and §4.

mod bell;
mod count;
mod pace;
mod prune;
mod publish;
mod recover;
mod recovery;
mod relay;
mod submit;
mod tidy;
mod watch;

pub use bell::Bell;
pub use count::Counter;
pub(crate) use pace::paced;
pub use prune::{PruneOptions, Pruner};
pub use publish::{DeadLetters, Publisher};
pub use recover::recover;
pub use recovery::{MAX_LOSSES, decide, lost_error};
pub use relay::{Relay, RelayOptions};
pub use submit::{
    Admission, AdmissionError, Admitted, Check, Compiled, Content, Object, Plans, Prepared, ROUNDS, Reader,
    Refusal, ReplayRequest, ReplayedRevision, Request, Submitter, problems_of,
};
pub use tidy::Tidier;
pub use watch::{EndWatch, Follow, FollowLimits, Following, Full, Look, Progress};
