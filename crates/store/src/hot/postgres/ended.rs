use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::jobs::texts;
use crate::Error;
use crate::hot::ended_row::EndedRow;
use crate::postgres_pool::PostgresPool;
use crate::protocol::Ended;
use crate::schema::executions::dsl;

pub(super) async fn ended(pool: &PostgresPool, ids: &[ExecutionId]) -> Result<Vec<Ended>, Error> {
    let wanted = texts(ids);
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let ended = dsl::executions
                .filter(dsl::id.eq_any(wanted))
                .filter(dsl::completed_at.is_not_null())
                .select(EndedRow::as_select());
            Ok(ended.load(connection).await?)
        })
    });
    rows.await?.into_iter().map(EndedRow::into_ended).collect()
}
