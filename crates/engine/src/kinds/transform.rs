//! `transform`: computes new values. `{"set": {"total": "{{ price * 1.2 }}"}}` gives `{"total": …}`.

use serde_json::Map;

use crate::{Compiled, Fields, Kind, NodeFailure, Pure, PureOutcome, Scope, Template};

pub(crate) struct Transform;

struct Set(Vec<(String, Template)>);

impl Kind for Transform {
    fn name(&self) -> &'static str {
        "transform"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        if !fields.has("set") {
            fields.problem(
                "set",
                "missing",
                "`set` is required: an object of the keys to set and their values",
            );
            return None;
        }
        Some(Compiled::pure(Set(fields.templates("set")?)))
    }
}

impl Pure for Set {
    fn evaluate(&self, scope: &Scope) -> Result<PureOutcome, NodeFailure> {
        let mut output = Map::with_capacity(self.0.len());
        for (key, template) in &self.0 {
            output.insert(key.clone(), template.render(scope)?);
        }
        Ok(PureOutcome { output, handle: None })
    }
}
