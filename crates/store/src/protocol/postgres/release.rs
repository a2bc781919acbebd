use diesel_async::RunQueryDsl;

use super::parts::chunk::{Holders, bind_holders, lock_held, write_chunks};
use super::parts::jobs::by_place;
use super::parts::leave::leave;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::postgres::PostgresPool;
use crate::protocol::{Append, Held};

/// A draining worker that is too late, because its lease ran out and another one runs the execution, must not make it
/// claimable a third time: the guard leaves the new holder alone. `losses` stays: draining is nobody's fault, and no
/// proof of progress either.
const RELEASE: &str = concat!(
    lock_held!("", ""),
    leave!(
        "held",
        status: "'PENDING'",
        waits_for: "NULL",
        wake_at: "clock_timestamp()",
        set: "publishes = 0, journal_len = e.journal_len + held.entries",
        when: "TRUE",
        returning: "e.journal_len - held.entries AS seq, held.body, held.place",
    ),
    ", ",
    write_chunks!(),
    "SELECT place FROM changed",
);

pub(super) async fn release(pool: &PostgresPool, members: &[Append]) -> Result<Vec<Held>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let release = bind_holders!(RELEASE, holders);
            Ok(Cached(release).load(connection).await?)
        })
    });
    Ok(by_place(&rows.await?, members.len(), Held::Yes, Held::No))
}
