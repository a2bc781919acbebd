use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::texts;
use crate::Error;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Chunk;
use crate::schema::execution_journal::dsl;

pub(super) async fn journal(
    pool: &PostgresPool,
    ids: &[ExecutionId],
) -> Result<Vec<(ExecutionId, Vec<Chunk>)>, Error> {
    let wanted = texts(ids);
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let chunks = dsl::execution_journal
                .filter(dsl::execution_id.eq_any(wanted))
                .order((dsl::execution_id, dsl::seq))
                .select((dsl::execution_id, dsl::seq, dsl::format, dsl::body));
            Ok(chunks.load::<(String, i32, i32, String)>(connection).await?)
        })
    });
    let mut chunks: HashMap<String, Vec<Chunk>> = HashMap::new();
    for (id, seq, format, body) in rows.await? {
        chunks.entry(id).or_default().push(Chunk { seq, format, body });
    }
    Ok(ids
        .iter()
        .map(|id| (id.clone(), chunks.remove(id.as_str()).unwrap_or_default()))
        .collect())
}
