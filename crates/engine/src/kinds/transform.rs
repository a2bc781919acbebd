//! `transform`: computes new values. `{"set": {"total": "{{ price * 1.2 }}"}}` gives `{"total": …}`; values may be nested.
//! `{"expression": "…"}` gives the object that the expression comes to.

use std::sync::Arc;

use gristmill_core::journal::Output;
use serde_json::Value;

use crate::{Compiled, Expression, Fields, Kind, NodeFailure, Pure, PureOutcome, Scope, Template};

pub(crate) struct Transform;

enum Make {
    /// The keys are shared with every output.
    Set(Vec<(Arc<str>, Template)>),
    Object(Box<Expression>),
}

impl Kind for Transform {
    fn name(&self) -> &'static str {
        "transform"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let make = match (fields.has("set"), fields.has("expression")) {
            (true, false) => {
                let set = fields.templates("set")?.into_iter();
                Make::Set(set.map(|(key, template)| (key.into(), template)).collect())
            }
            (false, true) => Make::Object(Box::new(fields.expression("expression")?)),
            (true, true) => {
                fields.problem(
                    "expression",
                    "contradiction",
                    "give either `set` or `expression`, not both",
                );
                return None;
            }
            (false, false) => {
                let message = "`set` or `expression` is required: an object of the keys to set and their values, or an \
                               expression that comes to an object";
                fields.problem("set", "missing", message);
                return None;
            }
        };
        Some(Compiled::pure(make))
    }
}

impl Pure for Make {
    fn evaluate(&self, scope: &Scope) -> Result<PureOutcome, NodeFailure> {
        let output = match self {
            Self::Set(templates) => {
                let mut output = Vec::with_capacity(templates.len());
                for (key, template) in templates {
                    output.push((Arc::clone(key), template.render(scope)?));
                }
                // The keys are those of an object in the definition.
                Output::of_distinct(output)
            }
            Self::Object(expression) => match expression.evaluate(scope)? {
                Value::Object(output) => Output::from(output),
                _ => return Err(expression.failure("the result of a transform is an object")),
            },
        };
        Ok(PureOutcome { output, handle: None })
    }
}
