//! Size: how much an output weighs, near enough to its length as JSON and much quicker to find.

use serde_json::Value;

/// The length of an object of `members` as JSON in bytes, escapes and the digits of numbers not counted exactly.
// Recursion is as deep as the value is nested, which its parser or the expression's limit bounds.
pub(crate) fn of_members<'a>(members: impl Iterator<Item = (impl AsRef<str>, &'a Value)>) -> usize {
    2 + members
        .map(|(key, value)| key.as_ref().len() + 4 + of_value(value))
        .sum::<usize>()
}

/// The length of `value` as JSON in bytes, as [`of_members`] finds it.
pub(crate) fn of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| of_value(item) + 1).sum::<usize>(),
        Value::Object(object) => of_members(object.iter()),
    }
}
