//! Tags: the producer's tags, by which lists find executions.

use diesel::sql_types::Text;
use diesel::{RunQueryDsl, SqliteConnection};

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;

/// A tag that was named twice is one.
const TAG: &str = "
    INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
    SELECT DISTINCT e.organization_id, tag.value, e.created_at, e.id
    FROM executions AS e JOIN json_each(e.tags) AS tag WHERE e.id = ?1";

/// Writes a row for each tag of an execution that was just inserted, if it has any.
pub(crate) fn tag(connection: &mut SqliteConnection, execution_id: &str) -> Result<(), Error> {
    let query = sql_query(TAG).bind::<Text, _>(execution_id);
    Cached(query).execute(connection)?;
    Ok(())
}
