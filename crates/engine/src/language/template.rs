//! Templates: any JSON value with `{{ … }}` in its texts. A text that is one expression and nothing else keeps the
//! type of what the expression comes to.

mod text;

pub use text::Text;

use gristmill_core::{Path, Problem};
use serde_json::{Map, Value};

use super::size;
use crate::{Allowance, Expression, NodeFailure, Scope};

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    part: Part,
    /// How many bytes the expressions of all templates of the node may come to.
    most: usize,
}

#[derive(Debug)]
enum Part {
    /// Nothing to evaluate anywhere in it. Boxed: a value is three times as large as any other part.
    Fixed(Box<Value>),
    Text(Text),
    Array(Vec<Part>),
    Object(Vec<(String, Part)>),
}

impl Template {
    /// Compiles `value`, which stands at `path` and whose expressions may take as much as `allowance` says. `None` when it
    /// added to `problems`.
    pub fn compile(
        value: &Value,
        path: &Path,
        allowance: &Allowance,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let part = compile(value, path, allowance, problems)?;
        let most = allowance.bytes;
        Some(Self { part, most })
    }

    /// The template that comes to what `expression` does.
    pub fn of_expression(expression: Expression, allowance: &Allowance) -> Self {
        Self {
            part: Part::Text(Text::of_expression(expression)),
            most: allowance.bytes,
        }
    }

    /// The value, when there is nothing to evaluate in it.
    pub fn fixed(&self) -> Option<&Value> {
        match &self.part {
            Part::Fixed(value) => Some(value),
            Part::Text(_) | Part::Array(_) | Part::Object(_) => None,
        }
    }

    /// The value in `scope`.
    ///
    /// # Errors
    /// When an expression in it fails; code `node_output_limit` when all that was rendered in `scope` is larger than the
    /// output of a node may be.
    pub fn render(&self, scope: &Scope) -> Result<Value, NodeFailure> {
        render(&self.part, scope, self.most)
    }
}

// Recursion is as deep as the JSON document was nested, which its parser bounds.
fn compile(value: &Value, path: &Path, allowance: &Allowance, problems: &mut Vec<Problem>) -> Option<Part> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(Part::Fixed(Box::new(value.clone()))),
        Value::String(text) => {
            let text = Text::compile(text, path, allowance, problems)?;
            Some(match text.fixed() {
                Some(fixed) => Part::Fixed(Box::new(Value::String(fixed))),
                None => Part::Text(text),
            })
        }
        Value::Array(items) => {
            let parts: Vec<_> = items
                .iter()
                .enumerate()
                .filter_map(|(i, item)| compile(item, &path.index(i), allowance, problems))
                .collect();
            let complete = parts.len() == items.len();
            let fixed = parts.iter().all(|part| matches!(part, Part::Fixed(_)));
            complete.then(|| {
                if fixed {
                    Part::Fixed(Box::new(value.clone()))
                } else {
                    Part::Array(parts)
                }
            })
        }
        Value::Object(members) => {
            let mut parts = Vec::with_capacity(members.len());
            for (key, member) in members {
                parts.extend(
                    compile(member, &path.key(key), allowance, problems).map(|part| (key.clone(), part)),
                );
            }
            let complete = parts.len() == members.len();
            let fixed = parts.iter().all(|(_, part)| matches!(part, Part::Fixed(_)));
            complete.then(|| {
                if fixed {
                    Part::Fixed(Box::new(value.clone()))
                } else {
                    Part::Object(parts)
                }
            })
        }
    }
}

fn render(part: &Part, scope: &Scope, most: usize) -> Result<Value, NodeFailure> {
    match part {
        // No larger than the definition.
        Part::Fixed(value) => Ok(Value::clone(value)),
        Part::Text(text) => {
            let value = text.value(scope)?;
            scope.render(size::of_value(&value), most)?;
            Ok(value)
        }
        Part::Array(parts) => parts
            .iter()
            .map(|part| render(part, scope, most))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Part::Object(parts) => {
            let mut object = Map::with_capacity(parts.len());
            for (key, part) in parts {
                object.insert(key.clone(), render(part, scope, most)?);
            }
            Ok(Value::Object(object))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allowance() -> Allowance {
        Allowance::of(&gristmill_core::Limits::default())
    }

    fn render(template: Value, scope: Value) -> Result<Value, String> {
        let mut problems = Vec::new();
        let template = Template::compile(&template, &Path::root(), &allowance(), &mut problems);
        assert_eq!(problems, []);
        template
            .unwrap()
            .render(&Scope::from_json(scope.as_object().unwrap().clone()))
            .map_err(|failure| failure.error.message)
    }

    #[test]
    fn rule_30_a_text_that_is_one_expression_keeps_its_json_type() {
        let scope = json!({"n": 3, "f": 2.0, "list": [1, {"a": null}], "t": "x"});
        assert_eq!(
            render(
                json!({"a": "{{ n }}", "b": " {{ n }}", "c": ["{{ list }}"], "d": {"e": "{{ f }}"}, "k": "{{ n > 2 }}"}),
                scope
            ),
            Ok(json!({"a": 3, "b": " 3", "c": [[1, {"a": null}]], "d": {"e": 2.0}, "k": true}))
        );
    }

    #[test]
    fn rule_30_text_around_expressions_makes_text() {
        let scope = json!({"name": "St. John's", "none": null, "list": [1, "a"], "f": 2.0});
        assert_eq!(
            render(
                json!("{{ name }}: {{ none }}, {{ list }}/{{ f }}{{ name }}"),
                scope
            ),
            Ok(json!(r#"St. John's: null, [1,"a"]/2.0St. John's"#))
        );
    }

    #[test]
    fn rule_30_braces_within_an_expression_do_not_end_it() {
        assert_eq!(render(json!("{{ '}}' }}"), json!({})), Ok(json!("}}")));
        assert_eq!(
            render(json!("{{ {'a': {'b': 1}}}}"), json!({})),
            Ok(json!({"a": {"b": 1}}))
        );
        assert_eq!(
            render(json!("{{ \"it's \\\"}}\\\"\" }}!"), json!({})),
            Ok(json!("it's \"}}\"!"))
        );
        assert_eq!(
            render(json!("{% if %} {# c #} } {"), json!({})),
            Ok(json!("{% if %} {# c #} } {"))
        );
    }

    #[test]
    fn a_failing_expression_names_itself() {
        let error = render(json!({"a": "x {{ b.c }}"}), json!({})).unwrap_err();
        assert!(
            error.starts_with("$.a, column 6: `b.c`: undefined value"),
            "{error}"
        );
    }

    #[test]
    fn what_is_too_large_for_an_output_is_not_rendered_to_its_end() {
        let mut problems = Vec::new();
        let set = json!(vec!["{{ 'x' * 1000000 }}"; 20]);
        let template = Template::compile(&set, &Path::root(), &allowance(), &mut problems).unwrap();
        let scope = Scope::from_json(Map::new());
        let failure = template.render(&scope).unwrap_err();
        assert_eq!(failure.error.code, "node_output_limit");
        assert!(
            failure.error.message.contains("limits.max_node_output, 1048576"),
            "{failure:?}"
        );
        assert_eq!(scope.rendered(), 2_000_004);
        // What is rendered in the same scope counts together.
        let half = Template::compile(
            &json!("{{ 'x' * 600000 }}"),
            &Path::root(),
            &allowance(),
            &mut problems,
        );
        let (half, scope) = (half.unwrap(), Scope::from_json(Map::new()));
        assert!(half.render(&scope).is_ok());
        assert!(half.render(&scope).is_err());
    }

    #[test]
    fn columns_count_characters_from_the_beginning_of_the_text() {
        for (text, column) in [
            ("é{{ b.c }}", 5),
            ("{{ 'é' }} é {{  b.c }}", 17),
            ("{{1}}{{2}}{{b.c}}", 13),
            ("}}{{1}} {{\n b.c\n}}{{ 1 }}", 13),
        ] {
            let error = render(json!(text), json!({})).unwrap_err();
            assert!(
                error.contains(&format!("column {column}: `b.c`")),
                "{text}: {error}"
            );
        }
        let mut problems = Vec::new();
        let text = "{{a}}é".repeat(19_999) + "{{ b b }}";
        assert!(Template::compile(&json!(text), &Path::root(), &allowance(), &mut problems).is_none());
        assert!(problems[0].message.starts_with("column 119998:"), "{problems:?}");
    }

    #[test]
    fn a_text_that_grows_too_long_names_the_expression_that_it_does_so_with() {
        let error = render(
            json!({"a": "{{ t }}, {{ 'x' * 1000000 }}."}),
            json!({"t": "y".repeat(60_000)}),
        );
        assert_eq!(
            error.unwrap_err(),
            "$.a, column 13: `'x' * 1000000`: the text up to here is longer than 1048576 bytes"
        );
    }

    #[test]
    fn every_problem_is_found_with_its_path() {
        let mut problems = Vec::new();
        let template = json!({"a": ["{{ 1 + }}", "fine", "{{ open"], "odd key": "{{ }}", "t": "{{- x }}", "ok": "{{ x }}"});
        assert!(
            Template::compile(&template, &Path::root().key("data"), &allowance(), &mut problems).is_none()
        );
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["$.data.a[0]", "$.data.a[2]", r#"$.data["odd key"]"#, "$.data.t"]
        );
    }
}
