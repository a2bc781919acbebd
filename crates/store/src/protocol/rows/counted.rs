//! Counted: what a batch of noted ends adds to the figures, summed up before anything is written: thousands of ends touch
//! a few rows.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::connection::sql_types::{Moment, Timestamp};
use crate::tables::stats::bucket_of;

/// A noted end, as it was taken out.
#[derive(QueryableByName)]
pub(crate) struct EndRow {
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
pub(crate) struct Counted {
    pub(crate) workflows: BTreeMap<WorkflowKey, WorkflowSum>,
    pub(crate) days: BTreeMap<DayKey, DaySum>,
    /// Ends by status, for the metrics; one that was undone later was an end all the same.
    ends: BTreeMap<String, u64>,
}

/// A row of `workflow_stats`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkflowKey {
    pub(crate) organization_id: String,
    pub(crate) workflow_id: String,
}

#[derive(Default)]
pub(crate) struct WorkflowSum {
    pub(crate) executions: i64,
    /// `None` when ends were undone only.
    pub(crate) last: Option<DateTime<Utc>>,
}

/// A row of `workflow_stats_daily`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayKey {
    pub(crate) organization_id: String,
    pub(crate) day: i32,
    pub(crate) workflow_id: String,
    pub(crate) status: String,
    pub(crate) bucket: i32,
}

#[derive(Default)]
pub(crate) struct DaySum {
    pub(crate) executions: i64,
    pub(crate) tokens_used: i64,
    pub(crate) cost_micros: i64,
}

impl Counted {
    pub(crate) fn of(ends: Vec<EndRow>) -> Self {
        let mut counted = Self::default();
        for end in ends {
            counted.add(end);
        }
        counted
    }

    /// Tells the metrics of the ends that this process took out, once that is committed: whichever process wrote them, and
    /// however they came about, each is told of by one.
    pub(crate) fn note(self) {
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
