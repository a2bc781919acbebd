//! Stats: an organization's figures. They are counted from noted ends (`protocol/{postgres,sqlite}/count_ends.rs`), so
//! they are as late as the last count.

mod histogram;

use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{BoolExpressionMethods, ExpressionMethods, IntoSql, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionStatus, WorkflowId, boxed};

pub(crate) use histogram::bucket_of;

use crate::connection::parse::parse;
use crate::connection::pool::read;
use crate::schema::{workflow_stats, workflow_stats_daily, workflows};
use crate::{Error, Store, Tenant};
use histogram::{Histogram, NEVER_STARTED};

/// Which ends are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsRange {
    /// The first and the last day, in UTC, counted from 1970.
    pub days: (i32, i32),
    /// One workflow's only.
    pub workflow: Option<WorkflowId>,
}

/// An organization's figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Workflows that are not deleted.
    pub total_workflows: i64,
    /// Those of them that are switched on.
    pub active_workflows: i64,
    /// Ended executions, of all times and also of deleted workflows.
    pub total_executions: i64,
    /// How many ended COMPLETED in the range.
    pub completed: i64,
    /// How many ended FAILED.
    pub failed: i64,
    /// How many ended CANCELLED.
    pub cancelled: i64,
    /// How long half of those that ran and ended COMPLETED or FAILED took at most, from the first claim to the end; right
    /// to a twentieth.
    pub p50_ms: Option<i64>,
    /// How long 95 of 100 of them took at most.
    pub p95_ms: Option<i64>,
    /// Model tokens.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
}

impl Store {
    /// The tenant's figures.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn stats(&self, tenant: &Tenant, range: &StatsRange) -> Result<Stats, Error> {
        let (organization_id, range) = (tenant.0.to_string(), range.clone());
        read!(self, tenant, |connection| {
            let workflows = workflows::table
                .filter(
                    workflows::organization_id
                        .eq(&organization_id)
                        .and(workflows::deleted_at.is_null()),
                )
                .group_by(workflows::is_active)
                .select((workflows::is_active, diesel::dsl::count_star()));
            let workflows: Vec<(bool, i64)> = workflows.load(connection).await?;
            let total = workflow_stats::table
                .filter(workflow_stats::organization_id.eq(&organization_id))
                .select(sql::<BigInt>("CAST(coalesce(sum(executions), 0) AS bigint)"));
            let total_executions = total.first::<i64>(connection).await?;
            let workflow = range.workflow.map(|id| id.to_string());
            let every = workflow.is_none().into_sql::<diesel::sql_types::Bool>();
            let sums = workflow_stats_daily::table
                .filter(
                    workflow_stats_daily::organization_id
                        .eq(&organization_id)
                        .and(workflow_stats_daily::day.between(range.days.0, range.days.1))
                        .and(every.or(workflow_stats_daily::workflow_id.eq(workflow.unwrap_or_default()))),
                )
                .group_by((workflow_stats_daily::status, workflow_stats_daily::bucket))
                .select((
                    workflow_stats_daily::status,
                    workflow_stats_daily::bucket,
                    sql::<BigInt>("CAST(sum(executions) AS bigint)"),
                    sql::<BigInt>("CAST(sum(tokens_used) AS bigint)"),
                    sql::<BigInt>("CAST(sum(cost_micros) AS bigint)"),
                ));
            let sums: Vec<Sum> = sums.load(connection).await?;
            let mut stats = Stats {
                total_workflows: workflows.iter().map(|(_, count)| count).sum(),
                active_workflows: workflows
                    .iter()
                    .filter(|(active, _)| *active)
                    .map(|(_, count)| count)
                    .sum(),
                total_executions,
                ..Stats::default()
            };
            stats.add(sums)?;
            Ok(stats)
        })
    }
}

/// Status, bucket, executions, tokens, cost.
type Sum = (String, i32, i64, i64, i64);

impl Stats {
    fn add(&mut self, sums: Vec<Sum>) -> Result<(), Error> {
        let mut durations = Histogram::default();
        for (status, bucket, executions, tokens_used, cost_micros) in sums {
            let counter = match parse("execution status", &status)? {
                ExecutionStatus::Completed => &mut self.completed,
                ExecutionStatus::Failed => &mut self.failed,
                ExecutionStatus::Cancelled => &mut self.cancelled,
                // Only ends are noted.
                ExecutionStatus::Pending | ExecutionStatus::Running | ExecutionStatus::Waiting => continue,
            };
            *counter += executions;
            self.tokens_used += tokens_used;
            self.cost_micros += cost_micros;
            if bucket != NEVER_STARTED && status != ExecutionStatus::Cancelled.as_str() {
                durations.add(bucket, executions);
            }
        }
        self.p50_ms = durations.percentile(50);
        self.p95_ms = durations.percentile(95);
        Ok(())
    }
}
