//! Latency: how long things took.

use serde::Serialize;

use crate::round::round;

/// What half, 95 and 99 of a hundred stayed within, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl Latency {
    /// Of times in milliseconds; all zero when there are none.
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        Self {
            p50: percentile(&times, 50),
            p95: percentile(&times, 95),
            p99: percentile(&times, 99),
        }
    }
}

/// The nearest rank: a time that was measured, never one between two.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    round(sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_time_at_the_nearest_rank() {
        let latency = Latency::of((1..=200).rev().map(f64::from).collect());
        let expected = Latency {
            p50: 100.0,
            p95: 190.0,
            p99: 198.0,
        };
        assert_eq!(latency, expected);
        assert_eq!(Latency::of(vec![7.0]).p99, 7.0);
        assert_eq!(Latency::of(Vec::new()).p50, 0.0);
    }
}
