//! `trigger`: where an execution begins. It does nothing; its output is `{}` and is never merged. `inputSchema`, a JSON
//! Schema, says what the execution's input must be; it is asked when the execution is submitted.

use crate::{Compiled, Fields, InputSchema, Kind, NodeFailure, Pure, PureOutcome, Scope};

pub(crate) struct Trigger;

struct Nothing;

impl Kind for Trigger {
    fn name(&self) -> &'static str {
        "trigger"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let input_schema = match fields.json("inputSchema").map(InputSchema::compile) {
            None => None,
            Some(Ok(schema)) => Some(Box::new(schema)),
            Some(Err(message)) => {
                fields.problem("inputSchema", "invalid_schema", message);
                return None;
            }
        };
        Some(Compiled {
            merges: false,
            is_trigger: true,
            input_schema,
            ..Compiled::pure(Nothing)
        })
    }
}

impl Pure for Nothing {
    fn evaluate(&self, _scope: &Scope) -> Result<PureOutcome, NodeFailure> {
        Ok(PureOutcome::default())
    }
}
