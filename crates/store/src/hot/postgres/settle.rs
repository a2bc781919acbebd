use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::chunk::{Holders, bind_holders, lock_held, write_chunks};
use super::finish::finish;
use super::jobs::by_place;
use crate::Error;
use crate::cached::Cached;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{Ending, Held, Settle};

/// Two workers finish the same execution, the first after its lease ran out: only the one whose attempt is the row's
/// ends it. When the answer to a settle is lost with the connection, the same settle sent again changes nothing, for the
/// row is no longer RUNNING; its caller finds its own claim token on a terminal row and knows that it was done.
const SETTLE: &str = concat!(
    lock_held!(
        ", $6::text[], $7::text[], $8::int[], $9::bigint[], $10::bigint[]",
        ", output, error, nodes_executed, tokens_used, cost_micros"
    ),
    "ending AS (
        SELECT *, CASE WHEN error IS NULL THEN 'COMPLETED' ELSE 'FAILED' END AS status, 0 AS losses FROM held
    ), ",
    finish!(),
    ", ",
    write_chunks!(),
    "SELECT place FROM changed",
);

pub(super) async fn settle(pool: &PostgresPool, members: &[Settle]) -> Result<Vec<Held>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let (outputs, errors): (Vec<_>, Vec<_>) = members.iter().map(|member| ending(&member.ending)).unzip();
    let totals: Vec<_> = members.iter().map(|member| member.totals).collect();
    let rows = pool.run(move |connection| {
        Box::pin(async move {
            let settle = bind_holders!(SETTLE, holders)
                .bind::<Array<Nullable<Text>>, _>(outputs)
                .bind::<Array<Nullable<Text>>, _>(errors)
                .bind::<Array<Integer>, _>(
                    totals
                        .iter()
                        .map(|totals| totals.nodes_executed)
                        .collect::<Vec<_>>(),
                )
                .bind::<Array<BigInt>, _>(totals.iter().map(|totals| totals.tokens_used).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(totals.iter().map(|totals| totals.cost_micros).collect::<Vec<_>>());
            Ok(Cached(settle).load(connection).await?)
        })
    });
    Ok(by_place(&rows.await?, members.len(), Held::Yes, Held::No))
}

/// Output and error, of which an execution has exactly one.
fn ending(ending: &Ending) -> (Option<String>, Option<String>) {
    match ending {
        Ending::Completed { output } => (Some(output.clone()), None),
        Ending::Failed { error } => (None, Some(error.clone())),
    }
}
