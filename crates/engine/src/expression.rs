//! Expressions: compiled once, bounded in what they may use, without clock and without randomness.

mod environment;
mod guard;
mod helpers;
mod meter;
mod operators;

use std::fmt;

use serde_json::Value as Json;

use crate::value::{NoJson, to_json};
use crate::{NodeFailure, Scope};

/// The longest expression, in bytes.
const MAX_SOURCE_BYTES: usize = 10_000;

/// A compiled expression such as `total * 1.2 > limits.max`.
pub struct Expression {
    source: String,
    compiled: minijinja::Expression<'static, 'static>,
}

/// Why a text is no expression.
#[derive(Debug, thiserror::Error)]
pub enum ExpressionError {
    /// `{{ }}` where none belongs.
    #[error("an expression stands here without {{{{ }}}} around it")]
    Braces,
    /// Nothing at all.
    #[error("the expression is empty")]
    Empty,
    /// Too long to be compiled.
    #[error("the expression is longer than {MAX_SOURCE_BYTES} bytes")]
    TooLong,
    /// Nested too deep to be compiled.
    #[error("the expression is nested too deep; split it over several nodes")]
    TooDeep,
    /// There is no such filter, test or function.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// `filter`, `test` or `function`.
        what: &'static str,
        /// What it is called.
        name: String,
    },
    /// A call of something that is no function.
    #[error("values have no methods; use a filter, as in `name | upper`")]
    Method,
    /// It does not parse. The reason is part of the message: it is for the person who wrote the expression.
    #[error("the expression does not parse: {0}")]
    Syntax(String),
}

impl Expression {
    /// Compiles `source`, which may take `fuel` instructions each time.
    ///
    /// # Errors
    /// When it is no expression.
    pub fn compile(source: &str, fuel: u64) -> Result<Self, ExpressionError> {
        if source.trim().is_empty() {
            return Err(ExpressionError::Empty);
        }
        if source.trim_start().starts_with("{{") {
            return Err(ExpressionError::Braces);
        }
        if source.len() > MAX_SOURCE_BYTES {
            return Err(ExpressionError::TooLong);
        }
        let guarded = guard::check(source)?;
        let compiled = environment::get(fuel)
            .compile_expression_owned(guarded.unwrap_or_else(|| source.to_owned()))
            .map_err(|error| ExpressionError::Syntax(reason(&error)))?;
        Ok(Self {
            source: source.trim().to_owned(),
            compiled,
        })
    }

    /// What the expression comes to in `scope`.
    ///
    /// # Errors
    /// When it uses what is undefined, mixes types that do not mix, runs out of fuel, or comes to what JSON cannot hold.
    pub fn evaluate(&self, scope: &Scope) -> Result<Json, NodeFailure> {
        to_json(&self.value(scope)?).map_err(|error| self.failure(error))
    }

    /// Whether the expression is true in `scope`. False are: false, 0, "", [], {}, none and undefined.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate), except that an undefined result is just false.
    pub fn test(&self, scope: &Scope) -> Result<bool, NodeFailure> {
        let value = self.value(scope)?;
        match f64::try_from(value.clone()) {
            Ok(number) if !number.is_finite() => Err(self.failure(NoJson::NotFinite(number))),
            _ => Ok(value.is_true()),
        }
    }

    fn value(&self, scope: &Scope) -> Result<minijinja::Value, NodeFailure> {
        self.compiled
            .eval(scope.context())
            .map_err(|error| self.failure(reason(&error)))
    }

    /// The failure of a node for what its expression came to.
    pub(crate) fn failure(&self, reason: impl fmt::Display) -> NodeFailure {
        NodeFailure::last("template", format!("`{}`: {reason}", self.source))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// What went wrong, without the name of a file that there is not.
fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FUEL: u64 = 100_000;

    fn scope() -> Scope {
        Scope::from_json(
            json!({"a": 1, "f": 1.0, "text": "31.95", "word": "north", "none": null, "list": [1, 2], "empty": {}})
                .as_object()
                .unwrap()
                .clone(),
        )
    }

    fn evaluate(source: &str) -> Result<Json, String> {
        Expression::compile(source, FUEL)
            .map_err(|error| error.to_string())?
            .evaluate(&scope())
            .map_err(|failure| failure.error.message)
    }

    fn test(source: &str) -> Result<bool, String> {
        Expression::compile(source, FUEL)
            .map_err(|error| error.to_string())?
            .test(&scope())
            .map_err(|failure| failure.error.message)
    }

    #[test]
    fn rule_06_use_of_what_is_undefined_fails_and_a_test_of_it_is_false() {
        assert_eq!(test("missing"), Ok(false));
        assert_eq!(test("empty.key"), Ok(false));
        assert_eq!(test("missing is defined"), Ok(false));
        assert_eq!(evaluate("missing|default(3)"), Ok(json!(3)));
        for source in [
            "missing",
            "missing.key",
            "missing + 1",
            "[missing]",
            "missing|num",
            "missing|upper",
        ] {
            assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
        }
    }

    #[test]
    fn rule_06_these_are_false_and_nothing_else() {
        for source in ["false", "0", "0.0", "''", "[]", "{}", "none", "missing"] {
            assert_eq!(test(source), Ok(false), "{source}");
        }
        for source in ["true", "1", "-0.1", "' '", "[0]", "{'a': 0}", "'false'", "'0'"] {
            assert_eq!(test(source), Ok(true), "{source}");
        }
    }

    #[test]
    fn rule_06_num_reads_numeric_text_and_fails_on_what_is_no_number() {
        assert_eq!(evaluate("text|num + 1"), Ok(json!(32.95)));
        assert_eq!(evaluate("' -7 '|num"), Ok(json!(-7)));
        assert_eq!(evaluate("a|num"), Ok(json!(1)));
        assert_eq!(evaluate("f|num"), Ok(json!(1.0)));
        for source in [
            "word|num",
            "''|num",
            "none|num",
            "true|num",
            "list|num",
            "'nan'|num",
            "'inf'|num",
            "'1e999'|num",
        ] {
            assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
        }
    }

    #[test]
    fn rule_06_less_than_across_types_follows_the_type() {
        assert_eq!(test("text > 100"), Ok(true));
        assert_eq!(test("text|num > 100"), Ok(false));
    }

    #[test]
    fn rule_06_there_is_no_clock_and_no_randomness() {
        for source in [
            "now()",
            "random()",
            "[1, 2]|random",
            "uuid()",
            "lipsum()",
            "debug()",
        ] {
            assert!(evaluate(source).is_err(), "{source}");
        }
    }

    #[test]
    fn whole_numbers_stay_whole_and_infinite_ones_are_errors() {
        assert_eq!(evaluate("a + 1").unwrap().to_string(), "2");
        assert_eq!(evaluate("f + 1").unwrap().to_string(), "2.0");
        assert!(
            evaluate("1e308 * 10")
                .unwrap_err()
                .contains("not a finite number")
        );
        assert!(evaluate("1 / 0").is_err());
        assert!(test("1e308 * 10").is_err());
    }

    #[test]
    fn what_would_use_too_much_is_stopped() {
        assert!(evaluate("'x' * 2000000").unwrap_err().contains("longer than"));
        assert!(evaluate("'xxxxxxxxxx' * 100000 | replace('x', 'xxxxxxxxxx')").is_err());
        assert!(evaluate("'%99999999d'|format(1)").is_err());
        assert!(Expression::compile(&"(".repeat(5_000), FUEL).is_err());
        assert!(matches!(
            Expression::compile(&"1+".repeat(6_000), FUEL),
            Err(ExpressionError::TooLong)
        ));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_a_reason() {
        assert!(matches!(
            Expression::compile(" ", FUEL),
            Err(ExpressionError::Empty)
        ));
        assert!(matches!(
            Expression::compile("{{ a }}", FUEL),
            Err(ExpressionError::Braces)
        ));
        assert!(matches!(
            Expression::compile("a +", FUEL),
            Err(ExpressionError::Syntax(_))
        ));
        assert!(matches!(
            Expression::compile("a b", FUEL),
            Err(ExpressionError::Syntax(_))
        ));
    }

    #[test]
    fn tojson_writes_what_it_is_given() {
        assert_eq!(
            evaluate("{'a': list, 'b': none}|tojson"),
            Ok(json!(r#"{"a":[1,2],"b":null}"#))
        );
    }
}
