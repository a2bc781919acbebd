//! The node kinds that need no I/O.

mod condition;
mod transform;
mod trigger;

use crate::Kind;

/// The kinds of this crate: the one list.
pub fn builtin() -> Vec<Box<dyn Kind>> {
    vec![
        Box::new(trigger::Trigger),
        Box::new(transform::Transform),
        Box::new(condition::Condition),
    ]
}
