//! Upkeep: background tasks that carry on what nobody waits for.

mod delete_workflows;
mod retention;
mod stats;

pub use delete_workflows::Tidier;
pub use retention::{PruneOptions, Pruner};
pub use stats::Counter;
