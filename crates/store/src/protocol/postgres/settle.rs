use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use gristmill_core::ExecutionId;

use super::parts::chunk::{Holders, bind_holders, lock_held, write_chunks};
use super::parts::finish::{end, finish, lock_with_parents};
use super::parts::jobs::set;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::postgres::PostgresPool;
use crate::protocol::{Ending, Held, Settle};
use crate::tables::usage::note_unhandled;

macro_rules! settle {
    ($finish:expr, $unhandled:literal) => {
        concat!(
            lock_held!(
                ", $6::text[], $7::text[], $8::int[], $9::bigint[], $10::bigint[], $11::text[]",
                ", output, error, nodes_executed, tokens_used, cost_micros, follow_up"
            ),
            "ending AS (
                SELECT *, CASE WHEN error IS NULL THEN 'COMPLETED' ELSE 'FAILED' END AS status, 0 AS losses FROM held
            ), ",
            $finish,
            ", ",
            write_chunks!(),
            "SELECT place, ",
            $unhandled,
            " AS unhandled FROM changed"
        )
    };
}

/// Two workers finish the same execution, the first after its lease ran out: only the one whose attempt is the row's
/// ends it. When the answer to a settle is lost with the connection, the same settle sent again changes nothing, for the
/// row is no longer RUNNING; its caller finds its own claim token on a terminal row and knows that it was done.
const SETTLE: &str = settle!(
    finish!(),
    "CASE WHEN id IN (SELECT id FROM unhandled) THEN id END"
);

/// The same for a group in which nobody is to be told of any end, as in most: a statement with so few parts is executed in
/// less time.
const SETTLE_PLAINLY: &str = settle!(end!(), "NULL::text");

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    place: i64,
    /// The execution, when nobody is to handle its failure because of a limit.
    #[diesel(sql_type = Nullable<Text>)]
    unhandled: Option<String>,
}

pub(super) async fn settle(pool: &PostgresPool, members: &[Settle]) -> Result<Vec<Held>, Error> {
    if members.iter().any(|member| member.is_child) {
        return settle_families(pool, members.to_vec()).await;
    }
    let members = members.to_vec();
    pool.run_as_system(move |connection| Box::pin(async move { settle_all(connection, &members).await }))
        .await
}

/// With children among the members, their parents may be as well: each child has a statement of its own, so that the
/// parent's sees the child's end, all in one transaction.
async fn settle_families(pool: &PostgresPool, members: Vec<Settle>) -> Result<Vec<Held>, Error> {
    let transaction = pool.transaction_as_system(move |connection| {
        Box::pin(async move {
            let ids: Vec<_> = members.iter().map(|member| member.id.to_string()).collect();
            lock_with_parents(connection, &ids).await?;
            let mut answers = Vec::with_capacity(members.len());
            for part in members.chunk_by(|one, next| !one.is_child && !next.is_child) {
                answers.extend(settle_all(connection, part).await?);
            }
            Ok(answers)
        })
    });
    transaction.await
}

async fn settle_all(connection: &mut AsyncPgConnection, members: &[Settle]) -> Result<Vec<Held>, Error> {
    let holders = Holders::new(
        members
            .iter()
            .map(|member| (&member.id, member.attempt, &member.chunk)),
    );
    let (outputs, errors): (Vec<_>, Vec<_>) = members.iter().map(|member| ending(&member.ending)).unzip();
    let follow_ups: Vec<_> = errors
        .iter()
        .map(|error| error.map(|_| ExecutionId::new().to_string()))
        .collect();
    let totals = members.iter().map(|member| member.totals);
    let is_plain = |member: &Settle| !member.is_child && matches!(member.ending, Ending::Completed { .. });
    let statement = if members.iter().all(is_plain) {
        SETTLE_PLAINLY
    } else {
        SETTLE
    };
    let settle = bind_holders!(statement, holders)
        .bind::<Array<Nullable<Text>>, _>(outputs)
        .bind::<Array<Nullable<Text>>, _>(errors)
        .bind::<Array<Integer>, _>(
            totals
                .clone()
                .map(|totals| totals.nodes_executed)
                .collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(
            totals
                .clone()
                .map(|totals| totals.tokens_used)
                .collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(totals.map(|totals| totals.cost_micros).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(follow_ups);
    let rows: Vec<Row> = Cached(settle).load(connection).await?;
    let mut answers = vec![Held::No; members.len()];
    for row in &rows {
        set(&mut answers, row.place, Held::Yes);
        if let Some(id) = &row.unhandled {
            note_unhandled(id);
        }
    }
    Ok(answers)
}

/// Output and error, of which an execution has exactly one.
fn ending(ending: &Ending) -> (Option<&str>, Option<&str>) {
    match ending {
        Ending::Completed { output } => (Some(output), None),
        Ending::Failed { error } => (None, Some(error)),
    }
}
