//! Each: groups whose members carry documents, one member after another in one transaction.

use diesel::SqliteConnection;

use crate::Error;
use crate::connection::sqlite::SqlitePool;

/// Does with each member in turn what `answer` says, all in one transaction: an error undoes the whole group.
pub(crate) async fn each<M, A>(
    pool: &SqlitePool,
    members: &[M],
    answer: impl Fn(&mut SqliteConnection, &M) -> Result<A, Error> + Send + 'static,
) -> Result<Vec<A>, Error>
where
    M: Clone + Send + 'static,
    A: Send + 'static,
{
    let members = members.to_vec();
    pool.transaction_blocking(move |connection| {
        members.iter().map(|member| answer(connection, member)).collect()
    })
    .await
}
