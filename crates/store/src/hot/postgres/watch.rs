use diesel::{ExpressionMethods, QueryDsl, Queryable};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::jobs::texts;
use crate::Error;
use crate::parse::parse;
use crate::postgres_pool::PostgresPool;
use crate::protocol::Watched;
use crate::schema::executions::dsl;
use crate::sql_types::Token;

#[derive(Queryable)]
struct Row {
    id: String,
    status: String,
    attempt: i32,
    claim_token: Option<Token>,
    inbox: i32,
    journal_len: i32,
}

pub(super) async fn watch(pool: &PostgresPool, ids: &[ExecutionId]) -> Result<Vec<Watched>, Error> {
    let wanted = texts(ids);
    let rows = pool.run(move |connection| {
        Box::pin(async move {
            let watch = dsl::executions.filter(dsl::id.eq_any(wanted)).select((
                dsl::id,
                dsl::status,
                dsl::attempt,
                dsl::claim_token,
                dsl::inbox,
                dsl::journal_len,
            ));
            Ok(watch.load::<Row>(connection).await?)
        })
    });
    rows.await?.into_iter().map(watched).collect()
}

fn watched(row: Row) -> Result<Watched, Error> {
    Ok(Watched {
        id: parse("execution id", &row.id)?,
        status: parse("execution status", &row.status)?,
        attempt: row.attempt,
        claim_token: row.claim_token.map(Into::into),
        inbox: row.inbox,
        journal_len: row.journal_len,
    })
}
