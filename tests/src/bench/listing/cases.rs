//! Cases: every combination of filters.

use gristmill_core::{ExecutionId, ExecutionStatus, WorkflowId};
use gristmill_store::{Cursor, ExecutionFilter};

use super::fill::{Workflows, second};

/// One list.
pub(super) struct Case {
    /// For people: what it is narrowed to, and which page.
    pub(super) name: String,
    pub(super) filter: ExecutionFilter,
    pub(super) after: Option<Cursor<ExecutionId>>,
    pub(super) limit: usize,
}

/// A page unless asked otherwise, and at most.
const LIMITS: [usize; 2] = [50, 100];

pub(super) fn cases(workflows: &Workflows, executions: u64) -> Vec<Case> {
    let executions = i64::try_from(executions).unwrap_or(i64::MAX);
    let mut cases = Vec::new();
    for (workflow, workflow_id) in workflow_filters(workflows) {
        for (status, statuses) in status_filters() {
            for (range, from, to) in ranges(executions) {
                for (lane, tags) in [
                    ("", 0),
                    ("bulk", 0),
                    ("default", 0),
                    ("", 1),
                    ("", 2),
                    ("bulk", 10),
                ] {
                    for (page, after) in [("first", None), ("deep", Some(position(executions / 2)))] {
                        for limit in LIMITS {
                            let lane_name = if lane.is_empty() {
                                String::new()
                            } else {
                                format!(" lane={lane}")
                            };
                            let tag_names = if tags == 0 {
                                String::new()
                            } else {
                                format!(" tags={tags}")
                            };
                            let name =
                                format!("{page} {limit}{workflow}{status}{range}{lane_name}{tag_names}");
                            let filter = ExecutionFilter {
                                workflow_id: workflow_id.clone(),
                                statuses: statuses.clone(),
                                created_from: from.map(second),
                                created_to: to.map(second),
                                lane: (!lane.is_empty()).then(|| lane.to_owned()),
                                tags: tag_filter(tags),
                            };
                            cases.push(Case {
                                name,
                                filter,
                                after: after.clone(),
                                limit,
                            });
                        }
                    }
                }
            }
        }
    }
    cases
}

/// The names of the filters that a list is narrowed by.
pub(super) fn narrowed_by(filter: &ExecutionFilter) -> String {
    let names = [
        ("workflow", filter.workflow_id.is_some()),
        ("status", !filter.statuses.is_empty()),
        (
            "createdFrom/createdTo",
            filter.created_from.is_some() || filter.created_to.is_some(),
        ),
        ("lane", filter.lane.is_some()),
        ("tags", !filter.tags.is_empty()),
    ];
    let names: Vec<_> = names
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| name)
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" + ")
    }
}

fn workflow_filters(workflows: &Workflows) -> [(&'static str, Option<WorkflowId>); 3] {
    [
        ("", None),
        (" workflow=busy", Some(workflows.busy.clone())),
        (" workflow=rare", Some(workflows.rare.clone())),
    ]
}

fn status_filters() -> Vec<(String, Vec<ExecutionStatus>)> {
    use ExecutionStatus::{Cancelled, Completed, Failed, Running, Waiting};
    let several = [vec![], vec![Failed, Cancelled], vec![Completed, Running, Waiting]];
    let all = ExecutionStatus::ALL
        .into_iter()
        .map(|status| vec![status])
        .chain(several);
    all.map(|statuses| {
        let names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
        let name = if names.is_empty() {
            String::new()
        } else {
            format!(" status={}", names.join(","))
        };
        (name, statuses)
    })
    .collect()
}

/// None, one in the middle, one that ends there, and one before everything.
fn ranges(executions: i64) -> [(&'static str, Option<i64>, Option<i64>); 4] {
    let (quarter, half) = (executions / 4, executions / 2);
    [
        ("", None, None),
        (" range=middle", Some(quarter), Some(half + quarter)),
        (" range=old", None, Some(quarter)),
        (" range=none", Some(-half), Some(-quarter)),
    ]
}

/// One: the one that many have. Two: with one that few have.
fn tag_filter(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("tag {number}")).collect()
}

/// Behind the execution of this number.
fn position(number: i64) -> Cursor<ExecutionId> {
    let id = format!("{}{number:032x}", ExecutionId::PREFIX);
    Cursor {
        created_at: second(number),
        // Letters and digits, so it is one.
        id: id.parse().unwrap_or_else(|_| ExecutionId::new()),
    }
}
