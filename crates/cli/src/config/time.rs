//! Time: lengths of time as people write them.

use std::str::FromStr;
use std::time::Duration;

use gristmill_store::Keep;
use serde::{Deserialize, Deserializer};

/// A length of time, written as a number and its unit: `500ms`, `15s`, `10m`, `1h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map(Self).ok_or_else(|| {
            format!(
                "`{text}` is no length of time: expected a whole number and its unit, such as 500ms, 15s, 10m, 1h or 30d"
            )
        })
    }
}

/// How long something is kept: a length of time, or `forever`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptFor(pub Keep);

impl<'de> Deserialize<'de> for KeptFor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim() == "forever" {
            return Ok(Self(Keep::Forever));
        }
        parse(&text).map(|length| Self(Keep::For(length))).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is neither `forever` nor a length of time, such as 12h or 30d"
            ))
        })
    }
}

fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u64 = text[..unit].parse().ok()?;
    match text[unit..].trim_start() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        "d" => number.checked_mul(86_400).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_its_unit() {
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse(" 15 s "), Some(Duration::from_secs(15)));
        assert_eq!(parse("10m"), Some(Duration::from_secs(600)));
        assert_eq!(parse("1h"), Some(Duration::from_secs(3_600)));
        assert_eq!(parse("2d"), Some(Duration::from_secs(172_800)));
        for text in [
            "",
            "15",
            "s",
            "-1s",
            "1.5s",
            "1w",
            "99999999999999999999s",
            "9999999999999999999h",
            "9999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
