//! Facts: the words and documents of `gristmill_core` where statements write them, the same for both databases. Tests hold
//! what these write to the types.

/// A [`WaitReason`](gristmill_core::WaitReason) as a text of SQL.
macro_rules! reason {
    ($reason:ident) => {
        concat!("'", gristmill_core::wait_reason!($reason), "'")
    };
}

/// Whether a message wakes the execution called `$execution` (with its dot, or empty) in the statement: it is WAITING for what
/// its graph waits for, and for nothing else first.
macro_rules! wakes_by_message {
    ($execution:literal) => {
        concat!(
            $execution,
            "status = 'WAITING' AND coalesce(",
            $execution,
            "waits_for, '') NOT IN (",
            $crate::protocol::facts::reason!(Start),
            ", ",
            $crate::protocol::facts::reason!(Paused),
            ", ",
            $crate::protocol::facts::reason!(Worker),
            ")"
        )
    };
}

/// A [`ChildEnd`](gristmill_core::ChildEnd), made of these columns.
macro_rules! child_end {
    ($status:literal, $output:literal, $error:literal) => {
        concat!(
            r#"'{"status":"' || "#,
            $status,
            r#" || '"' || coalesce(',"output":' || "#,
            $output,
            r#", '') || coalesce(',"error":' || "#,
            $error,
            r#", '') || '}'"#
        )
    };
}

/// A [`FailureInput`](gristmill_core::FailureInput) about the execution called `$failed` in the statement; its error is
/// `$error`.
macro_rules! failure_input {
    ($failed:literal, $error:literal) => {
        concat!(
            r#"'{"failed":{"id":"' || "#,
            $failed,
            r#".id || '","workflowId":"' || "#,
            $failed,
            r#".workflow_id || '","revision":' || "#,
            $failed,
            r#".revision || ',"error":' || "#,
            $error,
            r#" || ',"input":' || "#,
            $failed,
            r#".input || '}}'"#
        )
    };
}

pub(super) use {child_end, failure_input, reason, wakes_by_message};
