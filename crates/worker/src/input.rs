//! Input: what is told of one that does not meet its workflow's input schema.

use gristmill_core::{Problem, WorkflowId};

/// How many problems are told: errors are kept in journals, and shown in lists.
const MAX_TOLD: usize = 10;

/// An input that does not meet a workflow's input schema, in words.
pub(crate) fn misfit(workflow_id: &WorkflowId, problems: &[Problem]) -> String {
    let told: Vec<_> = problems.iter().take(MAX_TOLD).map(Problem::to_string).collect();
    let mut message = format!(
        "the input does not meet the input schema of {workflow_id}: {}",
        told.join("; ")
    );
    if let more @ 1.. = problems.len() - told.len() {
        message.push_str(&format!("; and {more} more"));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_problems_are_told_and_the_others_counted() {
        let workflow_id = WorkflowId::new();
        let problems: Vec<_> = (0..12)
            .map(|n| Problem::new(format!("$.input.n{n}"), "wrong_type", "is no string"))
            .collect();
        let message = misfit(&workflow_id, &problems);
        assert!(
            message.starts_with(&format!(
                "the input does not meet the input schema of {workflow_id}: $.input.n0: is no string; $.input.n1"
            )),
            "{message}"
        );
        assert!(
            message.ends_with("$.input.n9: is no string; and 2 more"),
            "{message}"
        );
        assert!(!misfit(&workflow_id, &problems[..10]).contains("more"));
    }
}
