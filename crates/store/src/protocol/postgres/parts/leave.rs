//! Leaving RUNNING: the part of a statement by which an execution stops being held.

/// The part `changed`, and the only one that takes an execution out of RUNNING: settle and cancel (by way of `finish`),
/// suspend, release and the relay go through it. Whatever must happen whenever a holder lets go, or is let go of, belongs
/// here: a slot that becomes free, a counter of what runs. `tests/store/leaving.rs` notices a statement that leaves
/// RUNNING by another way.
///
/// It changes the rows of the part `$rows (id, …)` for which `$when` holds: they are locked, in the state that was decided
/// upon. Dead letters, a cancel and the relay move executions through it as well that nobody holds: `e.status`, which is
/// what it was before the statement, tells them apart.
macro_rules! leave {
    (
        $rows:literal,
        status: $status:expr,
        waits_for: $waits_for:expr,
        wake_at: $wake_at:expr,
        set: $set:expr,
        when: $when:expr,
        returning: $returning:expr $(,)?
    ) => {
        concat!(
            "changed AS (
            UPDATE executions e SET status = ",
            $status,
            ", waits_for = ",
            $waits_for,
            ", wake_at = ",
            $wake_at,
            ", published_at = NULL, ",
            $set,
            "
            FROM ",
            $rows,
            " WHERE e.id = ",
            $rows,
            ".id AND ",
            $when,
            "
            RETURNING e.organization_id, e.id, ",
            $returning,
            ") "
        )
    };
}

pub(crate) use leave;
