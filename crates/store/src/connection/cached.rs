//! Cached: hand-written SQL whose statement stays prepared.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;

/// A [`diesel::sql_query`] with its binds, prepared once per connection. Diesel itself prepares each of them anew, which
/// is one more round trip, since the text might be composed and the cache would grow for ever: so give this constant
/// texts only.
pub(crate) struct Cached<Q>(pub(crate) Q);

impl<Q> Query for Cached<Q> {
    type SqlType = Untyped;
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    // The type says nothing about the text. Without an id the cache goes by the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, DB> QueryFragment<DB> for Cached<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q, C> diesel::RunQueryDsl<C> for Cached<Q> {}

/// Statements of PostgreSQL.
pub(crate) mod postgres {
    use diesel::pg::Pg;
    use diesel::query_builder::{BoxedSqlQuery, SqlQuery};

    /// Like [`diesel::sql_query`], of one type whatever is bound: each type of a statement has Diesel's whole machinery
    /// compiled for it.
    pub(crate) fn sql_query<'b>(sql: &'static str) -> BoxedSqlQuery<'b, Pg, SqlQuery> {
        diesel::sql_query(sql).into_boxed()
    }
}

/// Statements of SQLite.
pub(crate) mod sqlite {
    use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
    use diesel::sqlite::Sqlite;

    /// As in PostgreSQL.
    pub(crate) fn sql_query<'b>(sql: &'static str) -> BoxedSqlQuery<'b, Sqlite, SqlQuery> {
        diesel::sql_query(sql).into_boxed()
    }
}
