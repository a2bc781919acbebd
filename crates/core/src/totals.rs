//! Totals: what an execution did and cost.

use crate::journal::Usage;

/// What an execution did and cost. In the database's own integers, and never beyond what they hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// Model tokens, those of attempts that failed or were aborted among them.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
}

impl Totals {
    /// One more node run ended COMPLETED.
    pub fn add_node(&mut self) {
        self.nodes_executed = self.nodes_executed.saturating_add(1);
    }

    /// One more attempt used this.
    pub fn add_usage(&mut self, usage: &Usage) {
        self.tokens_used = self.tokens_used.saturating_add_unsigned(usage.tokens);
        self.cost_micros = self.cost_micros.saturating_add_unsigned(usage.cost_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_end_where_the_database_does() {
        let mut totals = Totals::default();
        let usage = Usage {
            tokens: u64::MAX,
            cost_micros: 7,
            model: None,
        };
        totals.add_usage(&usage);
        totals.add_usage(&usage);
        assert_eq!((totals.tokens_used, totals.cost_micros), (i64::MAX, 14));
    }
}
