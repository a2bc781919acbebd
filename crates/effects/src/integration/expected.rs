//! `expectStatus`: which statuses are a success. A status, or a list of statuses and of classes such as `"2xx"`; without it
//! everything below 400 is.

use gristmill_engine::Fields;
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected(Option<Vec<(u16, u16)>>);

impl Expected {
    pub(super) fn compile(fields: &mut Fields<'_>) -> Self {
        let Some(value) = fields.json("expectStatus").cloned() else {
            return Self::default();
        };
        let list = match value {
            Value::Array(list) => list,
            one => vec![one],
        };
        let ranges: Option<Vec<_>> = list.iter().map(range).collect();
        let ranges = ranges.filter(|ranges| !ranges.is_empty());
        if ranges.is_none() {
            let message =
                "`expectStatus` is a status from 100 to 599, a class such as \"2xx\", or a list of both";
            fields.problem("expectStatus", "invalid_value", message);
        }
        Self(ranges)
    }

    /// Whether a response with this status is a success.
    pub(crate) fn allows(&self, status: u16) -> bool {
        match &self.0 {
            None => status < 400,
            Some(ranges) => ranges.iter().any(|&(from, to)| (from..=to).contains(&status)),
        }
    }
}

fn range(value: &Value) -> Option<(u16, u16)> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    let status = text.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some((status, status))
}
