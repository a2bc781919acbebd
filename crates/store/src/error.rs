//! Error: what can go wrong between Gristmill and its database.

use diesel::result::{DatabaseErrorKind, Error as Failure};

use crate::Reached;

/// A failed operation of the store. Whether it can be tried again is in [`Error::is_transient`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be had: the database is away, or the pool is exhausted.
    #[error("no database connection")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection was lost under way. A write may or may not have been committed: read again before redoing it.
    #[error("the database connection was lost")]
    Lost(#[source] Failure),
    /// The database refused for a passing reason: a deadlock, a timeout, a full disk.
    #[error("the database refused for now")]
    Busy(#[source] Failure),
    /// A statement failed: a defect of Gristmill, or a schema of another version.
    #[error("a database statement failed")]
    Statement(#[source] Failure),
    /// A stored value cannot be read.
    #[error("the stored {what} cannot be read")]
    Corrupt {
        /// What was being read.
        what: &'static str,
        /// Why it cannot.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The migrations could not be run.
    #[error("the database could not be migrated")]
    Migrate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database lacks migrations of this version.
    #[error("the database lacks {pending} migration(s) of this version: run `gristmill migrate`")]
    Unmigrated {
        /// How many.
        pending: usize,
    },
    /// The database's user may not become what the services are.
    #[error(
        "the database user may not act as {missing}: {}",
        crate::connection::postgres::ROLES_ADVICE
    )]
    NoMember {
        /// The roles.
        missing: String,
    },
    /// The URL or the data directory cannot be used.
    #[error("{0}")]
    Options(String),
    /// The organization has as much as its tier allows: nothing was changed.
    #[error("a limit of the organization's tier is reached")]
    LimitReached(Reached),
    /// The task that ran the transaction panicked or was stopped with the runtime.
    #[error("the database task ended early")]
    Task(#[source] tokio::task::JoinError),
}

impl Error {
    /// The server took the question and never answered.
    pub(crate) fn no_answer() -> Self {
        let message = Box::new("the database did not answer in time".to_owned());
        Self::Lost(Failure::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand,
            message,
        ))
    }

    /// The same failure, of a call that may have changed something before it came.
    pub(crate) fn into_unknown(self) -> Self {
        match self {
            Self::Busy(cause) | Self::Statement(cause) => Self::Lost(cause),
            other => other,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Lost(_) | Self::Busy(_) => true,
            Self::Statement(_)
            | Self::Corrupt { .. }
            | Self::Migrate(_)
            | Self::Unmigrated { .. }
            | Self::NoMember { .. }
            | Self::Options(_)
            | Self::LimitReached(_)
            | Self::Task(_) => false,
        }
    }
}

/// Diesel keeps no SQLSTATE, so what it has no kind for is told by the server's words. A server that speaks another
/// language than English has its deadlocks and timeouts reported as [`Error::Statement`].
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let Failure::DatabaseError(kind, information) = &failure else {
            return match failure {
                Failure::BrokenTransactionManager => Self::Lost(failure),
                _ => Self::Statement(failure),
            };
        };
        let says = |phrases: &[&str]| {
            phrases
                .iter()
                .any(|phrase| information.message().contains(phrase))
        };
        match kind {
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => {
                Self::Lost(failure)
            }
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction => {
                Self::Busy(failure)
            }
            _ if says(LOST) => Self::Lost(failure),
            _ if says(BUSY) => Self::Busy(failure),
            _ => Self::Statement(failure),
        }
    }
}

/// What a server says before it closes the connection.
const LOST: &[&str] = &[
    "terminating connection",
    "the database system is",
    "server closed the connection",
    "connection closed",
];

/// What a server says when the same statement may succeed later.
const BUSY: &[&str] = &[
    "deadlock detected",
    "canceling statement due to",
    "could not extend file",
    "No space left on device",
    "out of memory",
    "out of shared memory",
    "remaining connection slots",
    "too many clients",
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
];
