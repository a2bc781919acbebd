//! Expressions: compiled once, bounded in what they may use, without clock and without randomness.

mod cost;
mod environment;
mod guard;
mod helpers;
mod limits;
mod meter;
mod names;
mod operators;
mod plain;
mod rewrite;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::OnceLock;

use gristmill_core::Path;
use serde_json::Value as Json;

use crate::language::value::{NoJson, to_json};
use crate::{NodeFailure, Scope};
use plain::Plain;

/// The longest expression, in bytes.
const MAX_SOURCE_BYTES: usize = 10_000;

/// A compiled expression such as `total * 1.2 > limits.max`.
pub struct Expression {
    source: Box<str>,
    /// In which field it stands, and at which column; empty when that is not known.
    field: Box<str>,
    column: usize,
    /// How many instructions the interpreter may take.
    fuel: u64,
    plain: Option<Plain>,
    /// For the interpreter. What is plain gets there only with values that are not.
    compiled: OnceLock<Box<Compiled>>,
}

type Compiled = minijinja::Expression<'static, 'static>;

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
        let plain = Plain::read(source);
        let compiled = match plain {
            Some(_) => OnceLock::new(),
            None => OnceLock::from(compile(source, fuel)?),
        };
        Ok(Self {
            source: source.trim().into(),
            field: Box::default(),
            column: 1,
            fuel,
            plain,
            compiled,
        })
    }

    /// The same expression, which stands in the field at `path`, at `column`, from 1: failures say so.
    #[must_use]
    pub(crate) fn standing_at(mut self, path: &Path, column: usize) -> Self {
        let field = path.as_str().split_once(".data.");
        self.field = field.map_or(path.as_str(), |(_, field)| field).into();
        self.column = column;
        self
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
        let context = scope.context();
        if let Some(value) = self
            .plain
            .as_ref()
            .and_then(|plain| plain.value(&self.source, &context))
        {
            return Ok(value);
        }
        self.compiled()?
            .eval(context)
            .map_err(|error| self.failure(reason(&error)))
    }

    fn compiled(&self) -> Result<&Compiled, NodeFailure> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(compiled);
        }
        let compiled = compile(&self.source, self.fuel).map_err(|error| self.failure(error))?;
        Ok(self.compiled.get_or_init(|| compiled))
    }

    /// The failure of a node for what its expression came to.
    pub(crate) fn failure(&self, reason: impl fmt::Display) -> NodeFailure {
        let Self {
            source,
            field,
            column,
            ..
        } = self;
        let message = match &**field {
            "" => format!("`{source}`: {reason}"),
            field => format!("{field}, column {column}: `{source}`: {reason}"),
        };
        NodeFailure::last("template", message)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

fn compile(source: &str, fuel: u64) -> Result<Box<Compiled>, ExpressionError> {
    let guarded = guard::check(source)?;
    environment::get(fuel)
        .compile_expression_owned(guarded.unwrap_or_else(|| source.to_owned()))
        .map(Box::new)
        .map_err(|error| ExpressionError::Syntax(reason(&error)))
}

/// What went wrong, without the name of a file that there is not.
fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        None if error.kind() == minijinja::ErrorKind::OutOfFuel => {
            "it takes more instructions than limits.max_fuel allows".to_owned()
        }
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
