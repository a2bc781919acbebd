//! Show: where progress goes.

/// Shows people how far a benchmark is; never on stdout, which has the report alone.
pub trait Show: Send + Sync {
    /// A stretch of work begins, of so many executions.
    fn begin(&self, what: &str, executions: u64);

    /// One more has ended.
    fn ended(&self, well: bool);
}
