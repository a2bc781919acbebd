//! Chunk: journal chunks within the statements of a holder.

use gristmill_core::ExecutionId;

use crate::protocol::NewChunk;

/// The members of a holder's group, as arrays.
pub(crate) struct Holders {
    pub(crate) ids: Vec<String>,
    pub(crate) attempts: Vec<i32>,
    pub(crate) bodies: Vec<Option<String>>,
    pub(crate) entries: Vec<i32>,
}

impl Holders {
    pub(crate) fn new<'a>(
        members: impl Iterator<Item = (&'a ExecutionId, i32, &'a Option<NewChunk>)>,
    ) -> Self {
        let mut holders = Self {
            ids: Vec::new(),
            attempts: Vec::new(),
            bodies: Vec::new(),
            entries: Vec::new(),
        };
        for (id, attempt, chunk) in members {
            holders.ids.push(id.to_string());
            holders.attempts.push(attempt);
            holders
                .bodies
                .push(chunk.as_ref().map(|chunk| chunk.body.clone()));
            holders
                .entries
                .push(chunk.as_ref().map_or(0, |chunk| chunk.entries));
        }
        holders
    }
}

/// Whether a holder's write says that the execution got on.
pub(crate) fn is_progress(chunk: &Option<NewChunk>) -> bool {
    chunk.as_ref().is_some_and(|chunk| chunk.progress)
}

/// A statement that begins with [`lock_held`], with `$1` to `$5` bound; what else it takes is bound after it.
macro_rules! bind_holders {
    ($statement:expr, $holders:expr) => {{
        use diesel::sql_types::{Array, Integer, Nullable, Text};
        diesel::sql_query($statement)
            .bind::<Integer, _>(gristmill_core::journal::FORMAT)
            .bind::<Array<Text>, _>($holders.ids)
            .bind::<Array<Integer>, _>($holders.attempts)
            .bind::<Array<Nullable<Text>>, _>($holders.bodies)
            .bind::<Array<Integer>, _>($holders.entries)
    }};
}

/// The part of a statement that names its members and locks those that the caller still holds. `$1` to `$5` are the
/// journal's format and the arrays of [`Holders`]; `$also` are more arrays, and `$names` what their columns are called.
/// `held` has each execution once, should a group name it twice: whoever is first ends the hold for the others.
///
/// The guard is the fencing token: a worker that was taken for lost, and whose execution another one has claimed since,
/// comes back with a smaller attempt and locks nothing.
macro_rules! lock_held {
    ($also:literal, $names:literal) => {
        concat!(
            "WITH member AS (
                SELECT * FROM unnest($2::text[], $3::int[], $4::text[], $5::int[]",
            $also,
            ") WITH ORDINALITY AS member (id, attempt, body, entries",
            $names,
            ", place)
            ), locked AS (
                SELECT member.*, e.organization_id, e.journal_len, e.inbox
                FROM executions e JOIN member ON member.id = e.id
                WHERE e.status = 'RUNNING' AND e.attempt = member.attempt
                ORDER BY e.id FOR UPDATE OF e
            ), held AS (
                SELECT DISTINCT ON (id) * FROM locked ORDER BY id, place
            ), "
        )
    };
}

/// The part that stores the chunks of the rows in `changed (organization_id, id, seq, body)`. The bump of `journal_len`
/// that made `seq` and the insert are one statement: a chunk is there exactly when its numbers are taken.
macro_rules! write_chunks {
    () => {
        "written AS (
            INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
            SELECT organization_id, id, seq, $1::int, body FROM changed WHERE body IS NOT NULL
        ) "
    };
}

pub(crate) use {bind_holders, lock_held, write_chunks};
