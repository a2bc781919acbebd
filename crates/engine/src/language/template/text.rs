//! Text: one text with `{{ … }}` in it.

use gristmill_core::{Path, Problem};
use serde_json::Value;

use crate::language::value::MAX_RESULT_BYTES;
use crate::{Allowance, Expression, NodeFailure, Scope};

/// A compiled text with expressions in it.
#[derive(Debug)]
pub struct Text(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Plain(String),
    Expression(Expression),
}

impl Text {
    /// Compiles `text`, which stands at `path` and whose expressions may take as much as `allowance` says. `None` when it
    /// added to `problems`.
    pub fn compile(
        text: &str,
        path: &Path,
        allowance: &Allowance,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let before = problems.len();
        let problem = |problems: &mut Vec<Problem>, message: String| {
            problems.push(Problem::new(path, "invalid_template", message));
        };
        // Most texts are one expression.
        let mut pieces = Vec::with_capacity(1);
        let mut rest = text;
        // The column at which `counted` begins.
        let (mut column, mut counted) = (1, text);
        while let Some((plain, after)) = rest.split_once("{{") {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(plain.to_owned()));
            }
            let Some(end) = end_of_expression(after) else {
                problem(
                    problems,
                    "`{{` without its `}}`; for the braces themselves write {{ \"{{\" }}".to_owned(),
                );
                return None;
            };
            let source = &after[..end];
            rest = &after[end + 2..];
            // Elsewhere `{{-` trims the text around it. Here it would be a minus sign, so nobody shall mean the other.
            if source.starts_with('-') || source.ends_with('-') {
                problem(
                    problems,
                    "`{{-` and `-}}` do not exist here; for a minus sign write {{ -x }}".to_owned(),
                );
                continue;
            }
            if !allowance.has_room(path, problems) {
                return None;
            }
            let begin = source.trim_start();
            let (before, behind) = counted.split_at(counted.len() - after.len() + source.len() - begin.len());
            column += before.chars().count();
            counted = behind;
            match Expression::compile(source, allowance.fuel) {
                Ok(expression) => pieces.push(Piece::Expression(expression.standing_at(path, column))),
                Err(error) => problem(problems, format!("column {column}: {error}")),
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        (problems.len() == before).then_some(Self(pieces))
    }

    /// The text that is this expression and nothing else.
    pub(super) fn of_expression(expression: Expression) -> Self {
        Self(vec![Piece::Expression(expression)])
    }

    /// The text, when there is nothing to evaluate in it.
    pub fn fixed(&self) -> Option<String> {
        match self.0.as_slice() {
            [] => Some(String::new()),
            [Piece::Plain(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// The value in `scope`: of the expression's own type when the text is one expression and nothing else.
    ///
    /// # Errors
    /// When an expression in it fails.
    pub fn value(&self, scope: &Scope) -> Result<Value, NodeFailure> {
        match self.0.as_slice() {
            [Piece::Expression(expression)] => expression.evaluate(scope),
            _ => self.render(scope).map(Value::String),
        }
    }

    /// The text in `scope`: strings as they are, everything else as JSON.
    ///
    /// # Errors
    /// When an expression in it fails, or the text grows beyond a mebibyte.
    pub fn render(&self, scope: &Scope) -> Result<String, NodeFailure> {
        let mut text = String::new();
        let mut last = None;
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Expression(expression) => {
                    last = Some(expression);
                    match expression.evaluate(scope)? {
                        Value::String(string) => text.push_str(&string),
                        other => text.push_str(&other.to_string()),
                    }
                }
            }
            if text.len() > MAX_RESULT_BYTES {
                let message = format!("the text up to here is longer than {MAX_RESULT_BYTES} bytes");
                return Err(match last {
                    Some(expression) => expression.failure(message),
                    None => NodeFailure::last("template", message),
                });
            }
        }
        Ok(text)
    }
}

/// Where the `}}` stands that ends the expression at the beginning of `text`: not in a string, nor inside of brackets.
fn end_of_expression(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => {
                bytes.next();
            }
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b'}') if depth == 0 && text[at + 1..].starts_with('}') => return Some(at),
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}
