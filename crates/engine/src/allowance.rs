//! What the expressions and templates of a definition may take.

use gristmill_core::Limits;

/// What the expressions and templates of a definition may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many instructions each expression may take.
    pub fuel: u64,
    /// How many bytes of JSON the expressions in the templates of one node may come to each time it runs.
    pub bytes: usize,
}

impl Allowance {
    /// What `limits` allow.
    pub fn of(limits: &Limits) -> Self {
        Self {
            fuel: limits.max_fuel,
            bytes: limits.max_node_output,
        }
    }
}
