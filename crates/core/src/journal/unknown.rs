//! Unknown words: why a chunk cannot be read that a newer version may have written.

use serde_json::{Map, Value};

use super::{AfterFailure, Entry, WaitsFor};

/// What `body`, which is no array of entries to this version, holds that it does not know. `None` when that is not the
/// reason: then no version has written it.
pub(super) fn unknown_in(body: &str) -> Option<String> {
    let entries: Vec<Map<String, Value>> = serde_json::from_str(body).ok()?;
    entries.iter().find_map(unknown)
}

fn unknown(entry: &Map<String, Value>) -> Option<String> {
    let kind = entry.get("type")?.as_str()?;
    if !Entry::TYPES.contains(&kind) {
        return Some(format!("an entry `{kind}`"));
    }
    let on = entry.get("on").and_then(|on| on.get("type"));
    if let Some(on) = on.and_then(Value::as_str)
        && !WaitsFor::TYPES.contains(&on)
    {
        return Some(format!("a wait for `{on}`"));
    }
    let then = entry.get("then")?;
    match serde_json::from_value::<AfterFailure>(then.clone()) {
        Ok(_) => None,
        Err(_) => Some(format!("a failure with `{}`", then.as_str()?)),
    }
}

impl Entry {
    /// What `type` may be.
    const TYPES: [&str; 10] = [
        "started",
        "completed",
        "waiting",
        "expanded",
        "retrying",
        "failed",
        "skipped",
        "disabled",
        "aborted",
        "reopened",
    ];
}

impl WaitsFor {
    /// What `type` may be.
    const TYPES: [&str; 3] = ["timer", "signal", "child"];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word is one that the reader expects, and it expects no other.
    #[test]
    fn the_words_are_those_of_the_reader() {
        fn expected<T: serde::de::DeserializeOwned>() -> String {
            let error = serde_json::from_str::<T>(r#"{"type":"?"}"#).err().unwrap();
            error.to_string()
        }
        fn listed(types: &[&str]) -> String {
            let types: Vec<_> = types.iter().map(|kind| format!("`{kind}`")).collect();
            format!("expected one of {}", types.join(", "))
        }
        for (expected, types) in [
            (expected::<Entry>(), &Entry::TYPES[..]),
            (expected::<WaitsFor>(), &WaitsFor::TYPES),
        ] {
            assert!(
                expected.contains(&format!("{} ", listed(types))) || expected.ends_with(&listed(types)),
                "{expected}"
            );
        }
    }
}
