//! The end of an execution.

/// The one way into a terminal status, for settling, the relay and dead letters alike: the part of a statement that ends
/// the locked rows in `ending (id, status, output, error, body, entries, losses, nodes_executed, tokens_used,
/// cost_micros, place)`, where null totals leave what is there. Whatever must happen at every end happens here.
macro_rules! finish {
    () => {
        "changed AS (
            UPDATE executions e SET
                status = ending.status, output = ending.output, error = ending.error,
                completed_at = clock_timestamp(), wake_at = NULL, published_at = NULL,
                journal_len = e.journal_len + ending.entries, losses = e.losses + ending.losses,
                nodes_executed = coalesce(ending.nodes_executed, e.nodes_executed),
                tokens_used = coalesce(ending.tokens_used, e.tokens_used),
                cost_micros = coalesce(ending.cost_micros, e.cost_micros)
            FROM ending WHERE e.id = ending.id
            RETURNING e.organization_id, e.id, e.journal_len - ending.entries AS seq, ending.body, ending.place
        ) "
    };
}

/// The columns of `ending` for an execution that fails without a holder: no chunk, no totals, one loss more.
macro_rules! lost {
    () => {
        "'FAILED' AS status, NULL::text AS output, NULL::text AS body, 0 AS entries, 1 AS losses, \
         NULL::int AS nodes_executed, NULL::bigint AS tokens_used, NULL::bigint AS cost_micros"
    };
}

pub(super) use {finish, lost};
