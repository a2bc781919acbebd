//! Durations in stretches that grow by a tenth each: few enough to keep by the day, fine enough for percentiles.

use std::collections::BTreeMap;

/// The bucket of what was never claimed.
pub(super) const NEVER_STARTED: i32 = -1;

/// How much longer each stretch is than the one before.
const GROWTH: f64 = 1.1;

/// The stretch that a duration falls into.
pub(crate) fn bucket_of(duration_ms: Option<i64>) -> i32 {
    match duration_ms {
        None => NEVER_STARTED,
        // A clock that was turned back makes no negative durations here.
        Some(..=0) => 0,
        // At most 459, for the longest there is.
        Some(ms) => 1 + ((ms as f64).ln() / GROWTH.ln()).floor() as i32,
    }
}

/// The middle of a stretch, in milliseconds.
fn middle_of(bucket: i32) -> i64 {
    match bucket {
        ..=0 => 0,
        bucket => GROWTH.powf(f64::from(bucket) - 0.5).round() as i64,
    }
}

/// How many durations fell into each stretch.
#[derive(Default)]
pub(super) struct Histogram(BTreeMap<i32, i64>);

impl Histogram {
    pub(super) fn add(&mut self, bucket: i32, count: i64) {
        *self.0.entry(bucket).or_default() += count;
    }

    /// What so many of a hundred durations are at most; `None` when there are none.
    pub(super) fn percentile(&self, percent: i64) -> Option<i64> {
        let total: i64 = self.0.values().sum();
        let rank = (total * percent + 99) / 100;
        let mut seen = 0;
        let found = self.0.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        found.filter(|_| total > 0).map(|(bucket, _)| middle_of(*bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_from_its_stretch_to_a_twentieth() {
        for ms in (1..200).chain([999, 1_000, 12_345, 86_400_000, 31_536_000_000]) {
            let told = middle_of(bucket_of(Some(ms)));
            let off = (told - ms).abs() as f64;
            assert!(off <= (ms as f64 * 0.05).max(0.5) + 0.5, "{ms} is told as {told}");
        }
        assert!(bucket_of(Some(i64::MAX)) < 460);
        assert_eq!((bucket_of(Some(0)), bucket_of(Some(-5)), middle_of(0)), (0, 0, 0));
    }

    #[test]
    fn percentiles_are_those_of_all_durations_together() {
        let mut durations = Histogram::default();
        assert_eq!(durations.percentile(50), None);
        for ms in 1..=1_000 {
            durations.add(bucket_of(Some(ms)), 1);
        }
        let (p50, p95) = (
            durations.percentile(50).unwrap(),
            durations.percentile(95).unwrap(),
        );
        assert!(
            (475..=525).contains(&p50) && (902..=998).contains(&p95),
            "{p50} {p95}"
        );
        // An end that was undone counts for nothing.
        durations.add(bucket_of(Some(1)), -1);
        durations.add(bucket_of(Some(1_000_000)), 1);
        durations.add(bucket_of(Some(1_000_000)), -1);
        assert!(durations.percentile(100).unwrap() < 1_100);
    }
}
