//! `transform`: computes new values. `{"set": {"total": "{{ price * 1.2 }}"}}` gives `{"total": …}`; values may be nested.
//! `{"expression": "…"}` gives the object that the expression comes to.

use serde_json::{Map, Value};

use crate::{Compiled, Expression, Fields, Kind, NodeFailure, Pure, PureOutcome, Scope, Template};

pub(crate) struct Transform;

enum Make {
    Set(Vec<(String, Template)>),
    Object(Expression),
}

impl Kind for Transform {
    fn name(&self) -> &'static str {
        "transform"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let make = match (fields.has("set"), fields.has("expression")) {
            (true, false) => Make::Set(fields.templates("set")?),
            (false, true) => Make::Object(fields.expression("expression")?),
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
                let mut output = Map::with_capacity(templates.len());
                for (key, template) in templates {
                    output.insert(key.clone(), template.render(scope)?);
                }
                output
            }
            Self::Object(expression) => match expression.evaluate(scope)? {
                Value::Object(output) => output,
                _ => return Err(expression.failure("the result of a transform is an object")),
            },
        };
        Ok(PureOutcome { output, handle: None })
    }
}
