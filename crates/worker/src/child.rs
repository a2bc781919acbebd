//! Children: what the engine asks for, in the words of the store, and what the store says, in the words of the engine.

use gristmill_core::{ExecutionId, Problem};
use gristmill_engine::{ChildRequest, NodeFailure};
use gristmill_store::{ChildStarted, StartChild};
use serde_json::Value;

use crate::input::misfit;

/// The statement that a holder's wish for a child comes to.
pub(crate) fn child_of(
    parent: &ExecutionId,
    attempt: i32,
    max_depth: i32,
    request: ChildRequest,
) -> StartChild {
    let ChildRequest {
        workflow_id,
        input,
        key,
        ..
    } = request;
    // The key is the path behind the parent's id, and tells an operator's retries apart, which the path does not.
    let path = key
        .strip_prefix(parent.as_str())
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(&key)
        .to_owned();
    StartChild {
        parent: parent.clone(),
        attempt,
        path,
        id: ExecutionId::new(),
        workflow_id,
        input: Value::Object(input).to_string().into(),
        checked: None,
        max_depth,
    }
}

/// Why a node has no child.
pub(crate) fn child_failure(refused: &ChildStarted, request: &StartChild) -> NodeFailure {
    let workflow = &request.workflow_id;
    match refused {
        ChildStarted::TooDeep => NodeFailure::last(
            "child_depth",
            format!(
                "executions may be nested {} deep (limits.max_child_depth)",
                request.max_depth
            ),
        ),
        ChildStarted::InactiveWorkflow => NodeFailure::last(
            "inactive_workflow",
            format!("the workflow {workflow} is switched off (`isActive` is false)"),
        ),
        ChildStarted::LimitReached(reached) => NodeFailure::last(
            "limit_reached",
            format!(
                "the organization has had {} executions this month, and its tier allows {}",
                reached.used, reached.limit
            ),
        ),
        ChildStarted::Unchecked { .. } => NodeFailure::retry(
            "overtaken",
            format!("the workflow {workflow} was saved again and again while the input was checked"),
        ),
        ChildStarted::UnknownWorkflow | ChildStarted::Lost | ChildStarted::Yes(_) => NodeFailure::last(
            "unknown_workflow",
            format!("the organization has no workflow {workflow}"),
        ),
    }
}

/// Why a node has no child: the input that it would have does not meet its workflow's schema.
pub(crate) fn misfit_failure(problems: &[Problem], request: &StartChild) -> NodeFailure {
    NodeFailure::last("invalid_input", misfit(&request.workflow_id, problems))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_core::WorkflowId;
    use gristmill_engine::FailureClass;
    use gristmill_store::Reached;

    #[test]
    fn a_child_goes_by_its_key_without_the_parents_id() {
        let parent = ExecutionId::new();
        let paths = ["sub", "each[3]/sub#2", "sub:r1"].map(|path| {
            let request = ChildRequest {
                path: "sub".to_owned(),
                workflow_id: WorkflowId::new(),
                input: serde_json::Map::new(),
                key: format!("{parent}:{path}"),
            };
            child_of(&parent, 1, 8, request).path
        });
        assert_eq!(paths, ["sub", "each[3]/sub#2", "sub:r1"]);
    }

    #[test]
    fn rule_24_a_child_whose_workflow_is_saved_again_and_again_is_asked_for_later() {
        let request = ChildRequest {
            path: "sub".to_owned(),
            workflow_id: WorkflowId::new(),
            input: serde_json::Map::new(),
            key: "sub".to_owned(),
        };
        let request = child_of(&ExecutionId::new(), 1, 8, request);
        let failure = child_failure(&ChildStarted::Unchecked { revision: 9 }, &request);
        assert_eq!(
            failure,
            NodeFailure::retry("overtaken", failure.error.message.clone())
        );
        let problem = Problem::new("$.input.n", "invalid_input", "is no number");
        let failure = misfit_failure(&[problem], &request);
        assert_eq!(
            (failure.error.code.as_str(), failure.class),
            ("invalid_input", FailureClass::Final)
        );
    }

    #[test]
    fn rule_31_a_child_over_the_limit_is_a_node_error() {
        let request = ChildRequest {
            path: "sub".to_owned(),
            workflow_id: WorkflowId::new(),
            input: serde_json::Map::new(),
            key: "sub".to_owned(),
        };
        let refused = ChildStarted::LimitReached(Reached {
            limit: 1_000,
            used: 1_002,
            resets_at: None,
        });
        let request = child_of(&ExecutionId::new(), 1, 8, request);
        let failure = child_failure(&refused, &request);
        assert_eq!(failure.error.code, "limit_reached");
        assert!(failure.error.message.contains("1002"), "{failure:?}");
        assert_eq!(failure.class, FailureClass::Final);
    }
}
