//! Error: what can go wrong with a member of a group.

use std::sync::Arc;

/// A member that was not carried out. Cloned to every member of a group that failed together.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database said no, or did not answer.
    #[error("the database did not do what was asked")]
    Store(#[source] Arc<crate::Error>),
    /// The task that does the work has ended: the process is shutting down.
    #[error("shutting down")]
    Stopped,
}

impl Error {
    /// Whether the same call may succeed later. After a transient error the outcome of a write is unknown.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Stopped => true,
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}
