use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// How long a response asks to wait: `Retry-After` in seconds, or as a date.
///
/// A date is read against the response's own `Date`, so that two clocks that disagree do not change the wait; `now` is
/// for servers that send none. A past date is zero.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(headers, &RETRY_AFTER)?;
    let from = http_date(headers, &DATE).unwrap_or(now);
    Some((until - from).to_std().unwrap_or_default())
}

fn http_date(headers: &HeaderMap, name: &HeaderName) -> Option<DateTime<Utc>> {
    let value = headers.get(name)?.to_str().ok()?;
    // An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT") is an RFC 2822 date.
    DateTime::parse_from_rfc2822(value.trim())
        .ok()
        .map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(retry: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(wait(" 120", None), Some(120));
        assert_eq!(wait(date, None), Some(7));
        assert_eq!(wait(date, Some("Sun, 06 Nov 1994 08:49:07 GMT")), Some(30));
        assert_eq!(wait(date, Some("Sun, 06 Nov 1994 09:00:00 GMT")), Some(0));
    }

    #[test]
    fn nonsense_is_no_wish() {
        for value in ["", "-1", "soon", "1.5"] {
            assert_eq!(wait(value, None), None, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Utc::now()), None);
    }
}
