//! Role: the roles that connections to PostgreSQL take, and what is to be done where they cannot.

/// Whose rights a connection has, whoever it logged in as. What each may do stands in the migrations, a line a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Tenant-scoped: sees the rows of the organization that its transaction names, and without one none.
    Api,
    /// Across tenants, on the tables that move executions.
    Worker,
}

/// What an operator can do about a role that is not there, or that a user may not take.
pub(crate) const ADVICE: &str = "the database user must be a member of gristmill_api and gristmill_worker: `gristmill migrate` makes \
    both and its own user a member; for another user run `GRANT gristmill_api, gristmill_worker TO <user>`";

impl Role {
    /// What PostgreSQL calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "gristmill_api",
            Self::Worker => "gristmill_worker",
        }
    }
}
