//! Fields: reads a node's configuration key by key and collects every problem with its path.

mod structured;

use std::ops::RangeInclusive;

use gristmill_core::{Limits, Path, Problem};
use serde_json::{Map, Value};

use super::common;
use crate::Allowance;

/// A reader over one JSON object of a definition. A key that is absent or `null` reads as `None` without a problem,
/// unless it is required; a key of the wrong shape reads as `None` and leaves one. Whatever was never asked for is an
/// unknown key.
pub struct Fields<'a> {
    path: Path,
    object: &'a Map<String, Value>,
    /// Keys that somebody else reads.
    foreign: &'static [&'static str],
    known: Vec<&'static str>,
    /// What the expressions that it reads may take.
    allowance: Allowance,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// A reader over `object`, which stands at `path`.
    pub fn new(path: Path, object: &'a Map<String, Value>, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            path,
            object,
            foreign: &[],
            known: Vec::new(),
            allowance: Allowance::of(&Limits::default()),
            problems,
        }
    }

    /// A reader over a node's `data` for its kind: the keys common to all kinds are the engine's.
    pub(crate) fn of_kind(path: Path, data: &'a Map<String, Value>, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            foreign: &common::KEYS,
            ..Self::new(path, data, problems)
        }
    }

    /// The same reader; the expressions that it reads may take as much as `allowance` says.
    #[must_use]
    pub(crate) fn with_allowance(mut self, allowance: Allowance) -> Self {
        self.allowance = allowance;
        self
    }

    /// Reports `code` and `message` at `key`.
    pub fn problem(&mut self, key: &str, code: &'static str, message: impl Into<String>) {
        self.problems
            .push(Problem::new(self.path.key(key), code, message));
    }

    /// Whether `key` is there and not `null`. Counts as asking for it.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// A text.
    pub fn string(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there and must not be empty.
    pub fn required_string(&mut self, key: &'static str) -> Option<String> {
        self.require(key)?;
        let text = self.string(key)?;
        if text.is_empty() {
            self.problem(key, "empty", format!("`{key}` must not be empty"));
            return None;
        }
        Some(text)
    }

    /// A whole number within `range`.
    pub fn u64(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.read(key, "a whole number", Value::as_u64)?;
        if !range.contains(&number) {
            let message = format!("expected {} to {}", range.start(), range.end());
            self.problem(key, "out_of_range", message);
            return None;
        }
        Some(number)
    }

    /// Any number within `range`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.read(key, "a number", Value::as_f64)?;
        if !range.contains(&number) {
            let message = format!("expected {} to {}", range.start(), range.end());
            self.problem(key, "out_of_range", message);
            return None;
        }
        Some(number)
    }

    /// A boolean.
    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "a boolean", Value::as_bool)
    }

    /// An object, as it stands.
    pub fn object(&mut self, key: &'static str) -> Option<&'a Map<String, Value>> {
        self.read(key, "an object", Value::as_object)
    }

    /// One of the texts in `options`, as what stands beside it.
    pub fn one_of<T: Clone>(&mut self, key: &'static str, options: &[(&str, T)]) -> Option<T> {
        let text = self.string(key)?;
        if let Some((_, meaning)) = options.iter().find(|(name, _)| *name == text) {
            return Some(meaning.clone());
        }
        let names: Vec<_> = options.iter().map(|(name, _)| *name).collect();
        self.problem(
            key,
            "unknown_value",
            format!("`{text}` is not one of {}", names.join(", ")),
        );
        None
    }

    /// Reports every key that nobody asked for. The engine calls it for a node's `data`; call it for what was made
    /// with [`new`](Self::new).
    pub fn finish(self) {
        let is_known = |key: &str| self.known.contains(&key) || self.foreign.contains(&key);
        for key in self.object.keys().filter(|key| !is_known(key)) {
            let message = if self.known.is_empty() {
                format!("unknown key `{key}`: nothing is configured here")
            } else {
                format!("unknown key `{key}`; the keys here are {}", self.known.join(", "))
            };
            self.problems
                .push(Problem::new(self.path.key(key), "unknown_key", message));
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn require(&mut self, key: &'static str) -> Option<()> {
        if self.value(key).is_none() {
            self.problem(key, "missing", format!("`{key}` is required"));
            return None;
        }
        Some(())
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let converted = convert(value);
        if converted.is_none() {
            self.problems
                .push(Problem::wrong_type(&self.path.key(key), expected, value));
        }
        converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_is_collected_with_its_path() {
        let data = json!({
            "name": 1, "empty": "", "count": 11, "flag": "yes", "mode": "odd", "text": "{{ a +", "extra": null,
            "inner": {"deep": [], "unknown": 1}, "list": [{"x": "fine"}, {"x": 2}, 3], "none": null,
        });
        let object = data.as_object().unwrap();
        let mut problems = Vec::new();
        let mut fields = Fields::new(Path::root(), object, &mut problems);
        assert_eq!(fields.string("name"), None);
        assert_eq!(fields.required_string("empty"), None);
        assert_eq!(fields.required_string("none"), None);
        assert_eq!(fields.u64("count", 1..=10), None);
        assert_eq!(fields.bool("flag"), None);
        assert_eq!(fields.one_of("mode", &[("a", 1), ("b", 2)]), None);
        assert!(fields.text("text").is_none());
        assert_eq!(fields.nested("inner", |inner| inner.string("deep")), Some(None));
        assert!(fields.each("list", |item| item.required_string("x")).is_none());
        assert_eq!(fields.bool("absent"), None);
        fields.finish();
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (problem.path.as_str(), problem.code))
            .collect();
        let expected = [
            ("$.name", "wrong_type"),
            ("$.empty", "empty"),
            ("$.none", "missing"),
            ("$.count", "out_of_range"),
            ("$.flag", "wrong_type"),
            ("$.mode", "unknown_value"),
            ("$.text", "invalid_template"),
            ("$.inner.deep", "wrong_type"),
            ("$.inner.unknown", "unknown_key"),
            ("$.list[1].x", "wrong_type"),
            ("$.list[2]", "wrong_type"),
            ("$.extra", "unknown_key"),
        ];
        assert_eq!(found, expected);
    }
}
