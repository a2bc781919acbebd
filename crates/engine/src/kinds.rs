//! Kinds: the node kinds that need no I/O of their own.

mod condition;
mod for_each;
mod signal;
mod sub_workflow;
mod transform;
mod trigger;
mod wait;

use crate::Kind;

/// The kinds of this crate: the one list.
pub fn builtin() -> Vec<Box<dyn Kind>> {
    vec![
        Box::new(trigger::Trigger),
        Box::new(transform::Transform),
        Box::new(condition::Condition),
        Box::new(wait::WaitKind),
        Box::new(signal::Signal),
        Box::new(sub_workflow::SubWorkflow),
        Box::new(for_each::ForEach),
    ]
}
