//! Table: the demo's result as a table.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_client::{Execution, ExecutionStatus};

use super::drive::Run;

const HEAD: [&str; 7] = [
    "workflow",
    "submitted",
    "completed",
    "failed",
    "executions/s",
    "p50",
    "p99",
];

/// One line for each run; the times are from submit to completed.
pub fn table(runs: &[Run]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(
        runs.iter()
            .map(|run| row(run.example.name, &run.executions.iter().collect::<Vec<_>>())),
    );
    let all: Vec<_> = runs.iter().flat_map(|run| &run.executions).collect();
    rows.push(row("all", &all));
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Writing into a String cannot fail.
            match column {
                0 => write!(text, "{cell:<width$}").ok(),
                _ => write!(text, "  {cell:>width$}").ok(),
            };
        }
        text.push('\n');
    }
    text
}

fn row(name: &str, executions: &[&Execution]) -> [String; 7] {
    let count = |status| {
        executions
            .iter()
            .filter(|execution| execution.status == status)
            .count()
    };
    let completed = count(ExecutionStatus::Completed);
    let mut times: Vec<_> = executions
        .iter()
        .filter(|execution| execution.status == ExecutionStatus::Completed)
        .filter_map(|execution| (execution.completed_at? - execution.created_at).to_std().ok())
        .collect();
    times.sort_unstable();
    [
        name.to_owned(),
        grouped(executions.len()),
        grouped(completed),
        grouped(count(ExecutionStatus::Failed)),
        span(executions).map_or_else(String::new, |span| {
            grouped((completed as f64 / span.as_secs_f64()) as usize)
        }),
        percentile(&times, 50).map_or_else(String::new, shown),
        percentile(&times, 99).map_or_else(String::new, shown),
    ]
}

/// From the first submit to the last end.
fn span(executions: &[&Execution]) -> Option<Duration> {
    let first: DateTime<Utc> = executions.iter().map(|execution| execution.created_at).min()?;
    let last = executions
        .iter()
        .filter_map(|execution| execution.completed_at)
        .max()?;
    (last - first).to_std().ok().filter(|span| !span.is_zero())
}

/// The smallest of the sorted times that at least `percent` of them do not exceed.
fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.max(1) - 1).copied()
}

fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1_000 => format!("{millis} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 406, 3_376, 1_000_000].map(grouped),
            ["0", "406", "3,376", "1,000,000"]
        );
    }

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&times, 99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&times[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 50), None);
    }
}
