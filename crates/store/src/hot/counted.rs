//! What a batch of noted ends adds to the figures, summed up before anything is written: thousands of ends touch a few rows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::sql_types::{Moment, Timestamp};
use crate::stats::bucket_of;

/// A noted end, as it was taken out.
#[derive(QueryableByName)]
pub(super) struct EndRow {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Text)]
    workflow_id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    times: i32,
    #[diesel(sql_type = Moment)]
    completed_at: Timestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    duration_ms: Option<i64>,
    #[diesel(sql_type = BigInt)]
    tokens_used: i64,
    #[diesel(sql_type = BigInt)]
    cost_micros: i64,
}

/// Sums in the order of their keys, so that rows are written in one order.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) workflows: BTreeMap<WorkflowKey, WorkflowSum>,
    pub(super) days: BTreeMap<DayKey, DaySum>,
    /// Ends by status, for the metrics; one that was undone later was an end all the same.
    ends: BTreeMap<String, u64>,
}

/// A row of `workflow_stats`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WorkflowKey {
    pub(super) organization_id: String,
    pub(super) workflow_id: String,
}

#[derive(Default)]
pub(super) struct WorkflowSum {
    pub(super) executions: i64,
    /// `None` when ends were undone only.
    pub(super) last: Option<DateTime<Utc>>,
}

/// A row of `workflow_stats_daily`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayKey {
    pub(super) organization_id: String,
    pub(super) day: i32,
    pub(super) workflow_id: String,
    pub(super) status: String,
    pub(super) bucket: i32,
}

#[derive(Default)]
pub(super) struct DaySum {
    pub(super) executions: i64,
    pub(super) tokens_used: i64,
    pub(super) cost_micros: i64,
}

impl Counted {
    pub(super) fn of(ends: Vec<EndRow>) -> Self {
        let mut counted = Self::default();
        for end in ends {
            counted.add(end);
        }
        counted
    }

    /// Tells the metrics of the ends that this process took out, once that is committed: whichever process wrote them, and
    /// however they came about, each is told of by one.
    pub(super) fn note(self) {
        for (status, ends) in self.ends {
            metrics::counter!("gristmill_executions_ended_total", "status" => status).increment(ends);
        }
    }

    fn add(&mut self, end: EndRow) {
        let times = i64::from(end.times);
        let completed_at: DateTime<Utc> = end.completed_at.into();
        let workflow = self
            .workflows
            .entry(WorkflowKey {
                organization_id: end.organization_id.clone(),
                workflow_id: end.workflow_id.clone(),
            })
            .or_default();
        workflow.executions += times;
        if times > 0 {
            workflow.last = workflow.last.max(Some(completed_at));
            *self.ends.entry(end.status.clone()).or_default() += end.times.unsigned_abs() as u64;
        }
        let key = DayKey {
            organization_id: end.organization_id,
            day: day_of(completed_at),
            workflow_id: end.workflow_id,
            status: end.status,
            bucket: bucket_of(end.duration_ms),
        };
        let day = self.days.entry(key).or_default();
        day.executions += times;
        day.tokens_used += times * end.tokens_used;
        day.cost_micros += times * end.cost_micros;
    }
}

/// The day in UTC, counted from 1970.
fn day_of(time: DateTime<Utc>) -> i32 {
    i32::try_from(time.timestamp().div_euclid(86_400)).unwrap_or(i32::MAX)
}
