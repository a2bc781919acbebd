//! Limits: how large things may become. Each limit has a key in the configuration, which the error about it names.

/// What definitions and executions may take. [`Limits::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `limits.max_nodes`: the most nodes of a definition.
    pub max_nodes: usize,
    /// `limits.max_nesting`: how deep `forEach` may stand in `forEach`.
    pub max_nesting: usize,
    /// `limits.max_expressions`: the most expressions of a definition.
    pub max_expressions: usize,
    /// `limits.max_node_output`: the largest output of one node run, and the most that the expressions in its templates may
    /// come to together, in bytes of JSON.
    pub max_node_output: usize,
    /// `limits.max_execution_output`: the largest sum of all outputs of an execution, in bytes of JSON.
    pub max_execution_output: usize,
    /// `limits.max_items`: the most items of one `forEach`.
    pub max_items: usize,
    /// `limits.max_journal_entries`: the most journal entries of an execution.
    pub max_journal_entries: usize,
    /// `limits.max_journal_bytes`: the largest journal of an execution, in bytes of JSON.
    pub max_journal_bytes: usize,
    /// `limits.max_fuel`: the instructions that one expression may take.
    pub max_fuel: u64,
    /// `limits.max_child_depth`: how deep `subWorkflow` may stand in `subWorkflow`. Kept by whoever starts children.
    pub max_child_depth: usize,
    /// `limits.max_mail`: the most signals that one execution may be sent. Kept by whoever takes them.
    pub max_mail: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_nodes: 5_000,
            max_nesting: 4,
            max_expressions: 20_000,
            max_node_output: 1024 * 1024,
            max_execution_output: 8 * 1024 * 1024,
            max_items: 10_000,
            max_journal_entries: 100_000,
            max_journal_bytes: 64 * 1024 * 1024,
            max_fuel: 100_000,
            max_child_depth: 8,
            max_mail: 1_000,
        }
    }
}
