//! Finish: the end of an execution.

use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;

/// The part of [`finish`] that all ends have in common: `changed` and `noted`. It is the whole of it where nobody is to be
/// told: of executions that are no children, and do not fail.
macro_rules! end {
    () => {
        concat!(
            $crate::protocol::postgres::parts::leave::leave!(
                "ending",
                status: "ending.status",
                waits_for: "NULL",
                wake_at: "NULL",
                set: "output = ending.output, error = ending.error, completed_at = clock_timestamp(),
                journal_len = e.journal_len + ending.entries, losses = e.losses + ending.losses,
                nodes_executed = coalesce(ending.nodes_executed, e.nodes_executed),
                tokens_used = coalesce(ending.tokens_used, e.tokens_used),
                cost_micros = coalesce(ending.cost_micros, e.cost_micros)",
                when: "TRUE",
                returning: "e.journal_len - ending.entries AS seq, ending.body, ending.place,
                e.status, e.parent_execution_id, e.workflow_id, e.started_at, e.completed_at, e.tokens_used, e.cost_micros",
            ),
            ", noted AS (
            INSERT INTO execution_ends (organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used,
                cost_micros)
            SELECT organization_id, workflow_id, status, 1, completed_at,
                floor(extract(epoch FROM completed_at - started_at) * 1000)::bigint, tokens_used, cost_micros
            FROM changed
        ) "
        )
    };
}

/// The one way into a terminal status, for settling, cancelling, the relay and dead letters alike: the part of a
/// statement that ends the locked rows in `ending (id, status, output, error, body, entries, losses, nodes_executed,
/// tokens_used, cost_micros, follow_up, place)`, where null totals leave what is there. Whatever must happen at every end
/// happens here:
///
/// - `noted`: the end waits to be counted, in a row that nobody else writes to: figures never slow an end down.
/// - `told`: the end of a child is a message for its parent, which is woken if it waits. A FAILED parent is told as well, for
///   an operator may retry it; one that ends in this very statement is not.
/// - `followed`: a failed execution is handed to the workflow that its revision names as `onFailure`, once for each
///   time that it fails for good: after an operator's retry it may fail again. What handles a failure is not handled
///   itself, and is as deep as a child would be: so no two workflows that name each other go on for ever. It counts
///   against the month, within the limit of the organization's tier: of several the first are started, as many as fit,
///   and `unhandled` has the failures that are left.
///
/// A caller that ends children holds the locks of their parents as well ([`lock_with_parents`]), and ends no two
/// executions of one family in one statement unless both are CANCELLED: a statement does not see its own changes.
///
/// The limit is kept by the update itself: it waits for whoever counts in the same slot, and then sees what is in it.
macro_rules! finish {
    () => {
        concat!(
            $crate::protocol::postgres::parts::finish::end!(),
            ", told AS (
            INSERT INTO execution_inbox (organization_id, execution_id, seq, key, name, body)
            SELECT p.organization_id, p.id, p.inbox + row_number() OVER (PARTITION BY p.id ORDER BY c.id),
                'child:' || c.id, 'child:' || c.id,
                ",
            $crate::protocol::facts::child_end!("c.status", "ending.output", "ending.error"),
            "
            FROM changed c JOIN ending ON ending.id = c.id JOIN executions p ON p.id = c.parent_execution_id
            WHERE c.parent_execution_id IS NOT NULL AND p.status NOT IN ('COMPLETED', 'CANCELLED')
                AND p.id NOT IN (SELECT id FROM ending)
                AND NOT EXISTS (
                    SELECT FROM execution_inbox known WHERE known.execution_id = p.id AND known.key = 'child:' || c.id
                )
            RETURNING execution_id
        ), woken AS (
            UPDATE executions p SET
                inbox = p.inbox + told.messages,
                status = CASE WHEN ",
            $crate::protocol::facts::wakes_by_message!("p."),
            " THEN 'PENDING' ELSE p.status END,
                wake_at = CASE WHEN ",
            $crate::protocol::facts::wakes_by_message!("p."),
            " THEN clock_timestamp() ELSE p.wake_at END
            FROM (SELECT execution_id, count(*)::int AS messages FROM told GROUP BY execution_id) told
            WHERE p.id = told.execution_id
        ), following AS (
            SELECT ending.follow_up AS id, f.organization_id, w.id AS workflow_id, w.revision, w.lane, w.timeout_ms,
                w.paused_at IS NOT NULL AS paused,
                ",
            $crate::protocol::facts::failure_input!("f", "ending.error"),
            " AS input,
                f.id AS failed, f.depth + 1 AS depth, ",
            $crate::protocol::postgres::parts::usage::limit_of!("o.tier"),
            " AS monthly_limit, row_number() OVER (PARTITION BY f.organization_id ORDER BY f.id) AS nth
            FROM changed c JOIN ending ON ending.id = c.id JOIN executions f ON f.id = c.id
            JOIN workflow_revisions r ON r.organization_id = f.organization_id AND r.workflow_id = f.workflow_id
                AND r.revision = f.revision
            JOIN workflows w ON w.organization_id = f.organization_id AND w.id = r.on_failure AND w.is_active AND w.deleted_at IS NULL
            JOIN organizations o ON o.id = f.organization_id
            WHERE c.status = 'FAILED' AND f.on_failure_of IS NULL
        ), asked AS (
            SELECT organization_id, month, wanted, monthly_limit - (
                SELECT coalesce(sum(other.executions), 0) FROM usage_counters other
                WHERE other.organization_id = asking.organization_id AND other.month = asking.month AND other.slot <> 0
            ) AS room
            FROM (
                SELECT organization_id, ",
            $crate::protocol::postgres::parts::usage::month!(),
            " AS month, count(*)::int AS wanted, min(monthly_limit) AS monthly_limit
                FROM following GROUP BY organization_id
            ) asking
        ), granted AS (
            INSERT INTO usage_counters AS u (organization_id, month, slot, executions, granted)
            SELECT organization_id, month, CASE WHEN room IS NULL THEN ",
            $crate::protocol::postgres::parts::usage::any_slot!(),
            " ELSE 0 END, greatest(0, least(wanted, room)), greatest(0, least(wanted, room))
            FROM asked ORDER BY organization_id
            ON CONFLICT (organization_id, month, slot) DO UPDATE SET (executions, granted) = (
                SELECT u.executions + fitting, fitting FROM (
                    SELECT greatest(0, least(wanted, room - u.executions)) AS fitting FROM asked
                    WHERE asked.organization_id = excluded.organization_id
                ) fit
            )
            RETURNING organization_id, granted
        ), followed AS (
            INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at,
                request_hash, input, on_failure_of, depth)
            SELECT following.id, organization_id, workflow_id, revision, lane, timeout_ms,
                CASE WHEN paused THEN 'WAITING' ELSE 'PENDING' END, CASE WHEN paused THEN ",
            $crate::protocol::facts::reason!(Paused),
            " END,
                CASE WHEN NOT paused THEN clock_timestamp() END, '', input, failed, depth
            FROM following JOIN granted USING (organization_id) WHERE nth <= granted
        ), unhandled AS (
            SELECT failed AS id FROM following JOIN granted USING (organization_id) WHERE nth > granted
        ) "
        )
    };
}

/// The columns of `ending` for an execution that ends without a holder: no chunk and no totals; `$status` is what it
/// becomes, and `$losses` how many more workers it has lost.
macro_rules! unheld {
    ($status:literal, $losses:literal) => {
        concat!(
            "'",
            $status,
            "' AS status, NULL::text AS output, NULL::text AS body, 0 AS entries, ",
            $losses,
            " AS losses, NULL::int AS nodes_executed, NULL::bigint AS tokens_used, NULL::bigint AS cost_micros"
        )
    };
}

pub(crate) use {end, finish, unheld};

/// The parents are read without a lock: who they are never changes. Theirs are taken in one order with all the others:
/// a cancel that came from above holds the parent and wants the child.
///
/// One list of ids, known before the first row is looked for: as `id = ANY (…) OR id IN (SELECT …)` it is a filter, and
/// every execution there is would be read through it. So it is, behind a tenant's policy, where the list is put together by
/// `||`: PostgreSQL 15.20 does not trust that operator not to leak what it is given. Nulls, of those that are no children,
/// match nothing; leaving them out by `parent_execution_id IS NOT NULL` would offer the index of all children for reading
/// from end to end.
const LOCK: &str = "
    SELECT id FROM executions
    WHERE id = ANY(ARRAY(
        SELECT unnest($1::text[]) UNION ALL SELECT parent_execution_id FROM executions WHERE id = ANY($1::text[])
    ))
    ORDER BY id FOR UPDATE";

/// Locks these rows, and those of their parents.
pub(crate) async fn lock_with_parents(
    connection: &mut AsyncPgConnection,
    ids: &[String],
) -> Result<(), Error> {
    Cached(sql_query(LOCK).bind::<Array<Text>, _>(ids))
        .execute(connection)
        .await?;
    Ok(())
}
