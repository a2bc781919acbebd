use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::texts;
use crate::Error;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Watched;
use crate::protocol::rows::watched_row::WatchedRow;
use crate::schema::executions::dsl;

pub(super) async fn watch(pool: &PostgresPool, ids: &[ExecutionId]) -> Result<Vec<Watched>, Error> {
    let wanted = texts(ids);
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let watch = dsl::executions
                .filter(dsl::id.eq_any(wanted))
                .select(WatchedRow::as_select());
            Ok(watch.load(connection).await?)
        })
    });
    rows.await?.into_iter().map(WatchedRow::into_watched).collect()
}
