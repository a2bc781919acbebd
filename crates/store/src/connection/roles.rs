//! Roles: whether the services can take the roles that they work as.

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::Error;
use crate::connection::pool::Pools;
use crate::connection::scope::Administration;

/// Roles that are there, and that the user is no member of, or that are missing: a database that was restored in another
/// cluster came without them.
const MISSING: &str = "
    SELECT name FROM unnest(ARRAY['gristmill_api', 'gristmill_worker']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name AND pg_has_role(oid, 'MEMBER')) ORDER BY name";

#[derive(QueryableByName)]
struct Role {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Makes sure that the user of the database's URL is a member of both.
pub(crate) async fn check(pools: &Pools) -> Result<(), Error> {
    let Pools::Postgres(pool) = pools else {
        return Ok(());
    };
    let missing = pool.read_in(Administration, |connection| {
        Box::pin(async move { Ok(sql_query(MISSING).load::<Role>(connection).await?) })
    });
    let missing: Vec<_> = missing.await?.into_iter().map(|role| role.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::NoMember {
        missing: missing.join(" and "),
    })
}
