//! `condition`: chooses one of its handles. With `expression` they are `true` and `false`; with `cases`, a list of
//! `{handle, expression}`, it is the first whose expression is true, else `default`.

use std::collections::HashSet;

use gristmill_core::journal::Output;
use serde_json::Value;

use crate::{Compiled, Expression, Fields, Kind, NodeFailure, Pure, PureOutcome, Scope};

const DEFAULT: &str = "default";

/// The longest handle, in bytes.
const MAX_HANDLE_LEN: usize = 200;

pub(crate) struct Condition;

/// Asked in order; the first true one names the handle.
struct Choice {
    cases: Vec<(String, Expression)>,
    otherwise: &'static str,
}

impl Kind for Condition {
    fn name(&self) -> &'static str {
        "condition"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let choice = match (fields.has("expression"), fields.has("cases")) {
            (true, false) => {
                let expression = fields.expression("expression")?;
                Choice {
                    cases: vec![("true".to_owned(), expression)],
                    otherwise: "false",
                }
            }
            (false, true) => Choice {
                cases: read_cases(fields)?,
                otherwise: DEFAULT,
            },
            (true, true) => {
                fields.problem(
                    "cases",
                    "contradiction",
                    "give either `expression` or `cases`, not both",
                );
                return None;
            }
            (false, false) => {
                fields.problem("expression", "missing", "`expression` or `cases` is required");
                return None;
            }
        };
        let handles = choice
            .cases
            .iter()
            .map(|(handle, _)| handle.clone())
            .chain([choice.otherwise.to_owned()])
            .collect();
        Some(Compiled {
            handles: Some(handles),
            merges: false,
            may_be_disabled: false,
            ..Compiled::pure(choice)
        })
    }
}

fn read_cases(fields: &mut Fields<'_>) -> Option<Vec<(String, Expression)>> {
    let mut taken = HashSet::from(["error".to_owned(), DEFAULT.to_owned()]);
    let cases = fields.each("cases", |case| {
        let handle = case.required_string("handle");
        let expression = case.required_expression("expression");
        let handle = handle?;
        if handle.len() > MAX_HANDLE_LEN {
            let message = format!("a handle has at most {MAX_HANDLE_LEN} bytes");
            case.problem("handle", "invalid_handle", message);
            return None;
        }
        if !taken.insert(handle.clone()) {
            let message =
                format!("the handle `{handle}` is taken: handles are unique, and never error or default");
            case.problem("handle", "duplicate_handle", message);
            return None;
        }
        Some((handle, expression?))
    })?;
    if cases.is_empty() {
        fields.problem("cases", "empty", "`cases` must not be empty");
        return None;
    }
    Some(cases)
}

impl Pure for Choice {
    fn evaluate(&self, scope: &Scope) -> Result<PureOutcome, NodeFailure> {
        let mut handle = self.otherwise;
        for (name, expression) in &self.cases {
            if expression.test(scope)? {
                handle = name;
                break;
            }
        }
        Ok(PureOutcome {
            output: Output::of_distinct(vec![("handle".into(), Value::from(handle))]),
            handle: Some(handle.to_owned()),
        })
    }
}
