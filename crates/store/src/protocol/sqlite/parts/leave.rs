//! Leaving RUNNING: the statement by which an execution stops being held.

use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};

use super::chunk::Place;
use crate::Error;
use crate::connection::cached::Cached;

/// The only statement that takes an execution out of RUNNING, for [`let_go`] to carry out. `?1` to `?3` are the execution,
/// and where and at which attempt it must still stand; `$entries` is how many entries its last chunk holds.
macro_rules! leave {
    (
        status: $status:expr,
        waits_for: $waits_for:expr,
        wake_at: $wake_at:expr,
        entries: $entries:literal,
        set: $set:expr,
        when: $when:expr $(,)?
    ) => {
        concat!(
            "UPDATE executions SET status = ",
            $status,
            ", waits_for = ",
            $waits_for,
            ", wake_at = ",
            $wake_at,
            ", published_at = NULL, journal_len = journal_len + ",
            $entries,
            ", ",
            $set,
            " WHERE id = ?1 AND status = ?2 AND attempt = ?3 AND ",
            $when,
            " RETURNING organization_id, journal_len - ",
            $entries,
            " AS seq, parent_execution_id"
        )
    };
}

pub(crate) use leave;

/// An execution that has left where it stood.
#[derive(QueryableByName)]
pub(crate) struct Left {
    /// Where its last chunk goes.
    #[diesel(embed)]
    pub(crate) place: Place,
    /// Whose child it is.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) parent_execution_id: Option<String>,
}

/// Settle and cancel (by way of `finish`), suspend, release and the relay go through this. Whatever must happen whenever a
/// holder lets go, or is let go of, belongs here: a slot that becomes free, a counter of what runs.
/// `tests/store/leaving.rs` notices a statement that leaves RUNNING by another way.
///
/// Dead letters, a cancel and the relay move executions through it as well that nobody holds: where they stood is what
/// they bind. `None` when the execution has moved on.
pub(crate) fn let_go(
    connection: &mut SqliteConnection,
    statement: BoxedSqlQuery<'_, Sqlite, SqlQuery>,
) -> Result<Option<Left>, Error> {
    Ok(Cached(statement).get_result(connection).optional()?)
}
