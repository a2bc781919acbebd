//! Pool: which of the two databases a store talks to, and the macros through which plain functions have one body for
//! both.

use crate::connection::postgres::PostgresPool;
use crate::connection::sqlite::SqlitePool;

/// The connections of a store.
#[derive(Clone)]
pub(crate) enum Pools {
    /// `postgres://…`
    Postgres(PostgresPool),
    /// `sqlite:PATH`
    Sqlite(SqlitePool),
}

/// Runs a body that reads, `|connection| async block's statements`, on whichever database the store has, on behalf of
/// `$scope`: a `&Tenant`, [`System`](crate::System) or [`Administration`](crate::connection::scope::Administration). The body is
/// compiled for each database, so it must be portable Diesel; it owns what it captures.
macro_rules! read {
    ($store:expr, $scope:expr, |$connection:ident| $body:block) => {{
        let scope = $crate::connection::scope::Scope::from($scope);
        match &$store.pools {
            $crate::connection::pool::Pools::Postgres(pool) => {
                pool.read_in(scope, move |$connection| Box::pin(async move { $body }))
                    .await
            }
            $crate::connection::pool::Pools::Sqlite(pool) => {
                pool.read(move |$connection| Box::pin(async move { $body })).await
            }
        }
    }};
}

/// Like [`read`], for a body that writes: in one transaction, rolled back when the body answers with an error.
macro_rules! transaction {
    ($store:expr, $scope:expr, |$connection:ident| $body:block) => {{
        let scope = $crate::connection::scope::Scope::from($scope);
        match &$store.pools {
            $crate::connection::pool::Pools::Postgres(pool) => {
                pool.transaction_in(scope, move |$connection| Box::pin(async move { $body }))
                    .await
            }
            $crate::connection::pool::Pools::Sqlite(pool) => {
                pool.transaction(move |$connection| Box::pin(async move { $body }))
                    .await
            }
        }
    }};
}

pub(crate) use {read, transaction};
