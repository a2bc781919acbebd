//! Allowance: what the expressions and templates of a definition may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gristmill_core::{Limits, Path, Problem};

/// What the expressions and templates of a definition may take. Copies of it are one.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// How many instructions each expression may take.
    pub(crate) fuel: u64,
    /// How many bytes of JSON the expressions in the templates of one node may come to each time it runs.
    pub(crate) bytes: usize,
    /// How many expressions there may be, and how many there are so far.
    most_expressions: usize,
    expressions: Arc<AtomicUsize>,
}

impl Allowance {
    /// What `limits` allow one definition.
    pub fn of(limits: &Limits) -> Self {
        Self {
            fuel: limits.max_fuel,
            bytes: limits.max_node_output,
            most_expressions: limits.max_expressions,
            expressions: Arc::default(),
        }
    }

    /// Counts an expression, which stands at `path`; whether there may be one more. The first that may not is added to
    /// `problems`.
    pub(crate) fn has_room(&self, path: &Path, problems: &mut Vec<Problem>) -> bool {
        let most = self.most_expressions;
        let before = self.expressions.fetch_add(1, Ordering::Relaxed);
        if before == most {
            let message =
                format!("there are more expressions up to here than limits.max_expressions, {most}");
            problems.push(Problem::new(path, "too_many_expressions", message));
        }
        before < most
    }
}
