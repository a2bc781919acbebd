//! Jobs: groups of members as the arrays that a statement takes apart with `unnest`.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use gristmill_core::ExecutionId;

/// Jobs or holdings: an execution each, at an attempt.
pub(crate) fn columns(jobs: &[(ExecutionId, i32)]) -> (Vec<String>, Vec<i32>) {
    jobs.iter()
        .map(|(id, attempt)| (id.to_string(), *attempt))
        .unzip()
}

/// Ids as they are stored.
pub(crate) fn texts(ids: &[ExecutionId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Longer than anybody waits, and far from the end of the clock's range: a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// For `make_interval(secs => …)`.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.min(LONGEST).as_secs_f64()
}

/// What PostgreSQL says in seconds; the little that clocks may run backwards is no time at all.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A row that is only an id.
#[derive(QueryableByName)]
pub(crate) struct IdRow {
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
}

/// A row that is only a member's place in its group, the first being 1.
#[derive(QueryableByName)]
pub(crate) struct PlaceRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) place: i64,
}

/// One answer for each of `len` members: `found` for those whose place is in `rows`, `missing` for the others.
pub(crate) fn by_place<T: Copy>(rows: &[PlaceRow], len: usize, found: T, missing: T) -> Vec<T> {
    let mut answers = vec![missing; len];
    for row in rows {
        set(&mut answers, row.place, found);
    }
    answers
}

/// Puts one member's answer in its place.
pub(crate) fn set<T>(answers: &mut [T], place: i64, answer: T) {
    let index = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    if let Some(slot) = index.and_then(|index| answers.get_mut(index)) {
        *slot = answer;
    }
}
