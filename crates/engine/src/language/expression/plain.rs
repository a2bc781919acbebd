//! Plain: the commonest expressions, `order.total` and `attempt + 1`, without the interpreter. Compiled by it each takes
//! some nine kilobytes, most of them empty, which a definition of thousands of nodes feels: in the time to compile it, in
//! its memory, and in every run, for what runs next is never where the processor has looked before.
//!
//! Whatever is out of the ordinary (something undefined, other types, an overflow) is not decided here: the interpreter is
//! asked then, so that there is one meaning of each expression.

use minijinja::Value;
use minijinja::value::ValueKind;

/// A name, what of it, and perhaps a whole number to reckon with. The source is kept beside it, and the names there.
#[derive(Debug)]
pub(super) struct Plain {
    /// How many bytes at the beginning of the source are the name and what of it: `order.total`.
    path: u8,
    then: Option<(Operator, i64)>,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Plus,
    Minus,
    Times,
}

/// Words that are no names, or not always.
const WORDS: [&str; 17] = [
    "true", "True", "false", "False", "none", "None", "loop", "self", "super", "caller", "and", "or", "not",
    "in", "is", "if", "else",
];

/// The longest that is looked at, in bytes. What is longer may be nested too deep, which the interpreter's guard sees.
const LONGEST: usize = 100;
const _: () = assert!(LONGEST <= u8::MAX as usize);

/// So many digits are a whole number for certain.
const DIGITS: usize = 15;

impl Plain {
    /// Reads `source` if it is that plain.
    pub(super) fn read(source: &str) -> Option<Self> {
        let source = source.trim_ascii();
        if source.len() > LONGEST {
            return None;
        }
        let mut rest = skip_name(source)?;
        while let Some(member) = rest.strip_prefix('.') {
            rest = skip_name(member)?;
        }
        let path = (source.len() - rest.len()) as u8;
        let then = match rest.trim_ascii_start() {
            "" => None,
            rest => Some(read_operation(rest)?),
        };
        Some(Self { path, then })
    }

    /// What it comes to, unless that is for the interpreter to say. `source` is what was read, trimmed.
    pub(super) fn value(&self, source: &str, context: &Value) -> Option<Value> {
        let mut names = source[..usize::from(self.path)].split('.');
        let mut value = context.get_attr(names.next()?).ok()?;
        for member in names {
            value = value.get_attr(member).ok()?;
        }
        match (value.kind(), self.then) {
            (ValueKind::Undefined | ValueKind::Invalid, _) => None,
            (_, None) => Some(value),
            (ValueKind::Number, Some((operator, number))) if value.is_integer() => {
                let left = i64::try_from(value).ok()?;
                let result = match operator {
                    Operator::Plus => left.checked_add(number),
                    Operator::Minus => left.checked_sub(number),
                    Operator::Times => left.checked_mul(number),
                };
                result.map(Value::from)
            }
            _ => None,
        }
    }
}

/// What stands behind the name at the beginning of `text`.
fn skip_name(text: &str) -> Option<&str> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let length = text.bytes().take_while(|byte| is_part(*byte)).count();
    let (name, rest) = text.split_at(length);
    let begins_well = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    (begins_well && !WORDS.contains(&name)).then_some(rest)
}

fn read_operation(text: &str) -> Option<(Operator, i64)> {
    let (operator, number) = text.split_at_checked(1)?;
    let operator = match operator {
        "+" => Operator::Plus,
        "-" => Operator::Minus,
        "*" => Operator::Times,
        _ => return None,
    };
    let number = number.trim_ascii_start();
    let is_whole = number.len() <= DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = number == "0" || !number.starts_with('0');
    (is_whole && is_plain).then(|| number.parse().ok().map(|number| (operator, number)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sums_with_whole_numbers_are_plain_and_nothing_else_is() {
        for source in ["a", " a.b_c.d2 ", "_x+1", "a.b - 12", "a*0", "item * 3"] {
            assert!(Plain::read(source).is_some(), "{source}");
        }
        for source in [
            "",
            "1",
            "a b",
            "a.",
            "a..b",
            "a.1",
            "1a",
            "é",
            "aé",
            "a.é",
            "true",
            "not a",
            "a.not",
            "loop",
            "a + b",
            "a + 1.5",
            "a + 1 + 1",
            "a + -1",
            "a + 01",
            "a / 2",
            "a ** 2",
            "a // 2",
            "a[0]",
            "a|upper",
            "a()",
            "a +",
            "a\u{a0}+ 1",
            "a + 1_000",
            "a + 9999999999999999",
            "a if b",
            "a, b",
            "-a",
            "a é",
        ] {
            assert!(Plain::read(source).is_none(), "{source}");
        }
    }
}
