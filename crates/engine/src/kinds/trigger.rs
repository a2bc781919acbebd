//! `trigger`: where an execution begins. It does nothing; its output is `{}` and is never merged.

use crate::{Compiled, Fields, Kind, NodeFailure, Pure, PureOutcome, Scope};

pub(crate) struct Trigger;

struct Nothing;

impl Kind for Trigger {
    fn name(&self) -> &'static str {
        "trigger"
    }

    fn compile(&self, _fields: &mut Fields<'_>) -> Option<Compiled> {
        Some(Compiled {
            merges: false,
            is_trigger: true,
            ..Compiled::pure(Nothing)
        })
    }
}

impl Pure for Nothing {
    fn evaluate(&self, _scope: &Scope) -> Result<PureOutcome, NodeFailure> {
        Ok(PureOutcome::default())
    }
}
