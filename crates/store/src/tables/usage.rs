//! Usage: what organizations have used, and where it meets the limits of their tiers.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::boxed;

use crate::connection::pool::{Pools, read};
use crate::schema::{usage_counters, workflows};
use crate::{Error, Store, Tenant};

/// A limit that is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How much there may be.
    pub limit: u32,
    /// How much there is: more than the limit, where that was lowered since.
    pub used: i64,
    /// When counting begins anew, where it ever does.
    pub resets_at: Option<DateTime<Utc>>,
}

/// What an organization has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// This month, as in `2026-11`: UTC, by the database's clock.
    pub month: String,
    /// The executions that were inserted in it, whatever has become of them.
    pub executions: i64,
    /// When the next month begins.
    pub resets_at: Option<DateTime<Utc>>,
    /// The workflows that there are.
    pub workflows: i64,
}

/// The columns' way of naming a month; what the statements of both databases make of their clocks.
const MONTH: &str = "%Y-%m";

/// When the month after `month` begins; `None` of a text that is no month.
pub(crate) fn resets_at(month: &str) -> Option<DateTime<Utc>> {
    let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
    let next = first.checked_add_months(chrono::Months::new(1))?;
    Some(next.and_hms_opt(0, 0, 0)?.and_utc())
}

/// That the executions of a month are used up.
pub(crate) fn month_reached(month: &str, limit: u32, used: i64) -> Reached {
    Reached {
        limit,
        used,
        resets_at: resets_at(month),
    }
}

/// A failed execution whose failure was to be handled by another workflow, which the month's limit has no place for. The
/// failure itself is recorded, so nobody is told but the log and the metrics.
pub(crate) fn note_unhandled(execution_id: &str) {
    metrics::counter!("gristmill_on_failure_refused_total").increment(1);
    tracing::warn!(
        execution.id = execution_id,
        "no workflow was started to handle a failure: the organization's executions of this month are used up"
    );
}

/// The statement that makes those who add workflows to one organization at the same time wait for each other, with the
/// organization as its only parameter. It locks no row, which a submit or a foreign key might want.
pub(crate) fn lock_workflows(store: &Store) -> &'static str {
    match store.pools {
        Pools::Postgres(_) => "SELECT pg_advisory_xact_lock(hashtext('gristmill.workflows'), hashtext($1))",
        // There is one writer.
        Pools::Sqlite(_) => "SELECT ?1",
    }
}

/// Within a transaction that is about to add a workflow: ends it with [`Error::LimitReached`] when the organization has as
/// many as `limit` allows. `lock` comes from [`lock_workflows`], asked before the transaction began.
///
/// The count sees what others committed before the lock was had, since it is a statement of its own after it: of twenty
/// who add the last one at once, one does.
macro_rules! admit_workflow {
    ($connection:ident, $lock:expr, $organization_id:expr, $limit:expr) => {
        if let Some(limit) = $limit {
            diesel::sql_query($lock)
                .bind::<diesel::sql_types::Text, _>($organization_id)
                .execute($connection)
                .await?;
            let used = workflows::table
                .filter(
                    workflows::organization_id
                        .eq($organization_id)
                        .and(workflows::deleted_at.is_null()),
                )
                .count()
                .get_result::<i64>($connection)
                .await?;
            if used >= i64::from(limit) {
                let reached = $crate::Reached {
                    limit,
                    used,
                    resets_at: None,
                };
                return Err($crate::Error::LimitReached(reached));
            }
        }
    };
}

pub(crate) use admit_workflow;

impl Store {
    /// What the tenant has used.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn usage(&self, tenant: &Tenant) -> Result<Usage, Error> {
        let month = self.now().await?.format(MONTH).to_string();
        let (organization_id, of_month) = (tenant.0.to_string(), month.clone());
        let (executions, workflows) = read!(self, tenant, |connection| {
            let executions = usage_counters::table
                .filter(
                    usage_counters::organization_id
                        .eq(&organization_id)
                        .and(usage_counters::month.eq(of_month)),
                )
                // A sum of bigint is a numeric in PostgreSQL.
                .select(sql::<BigInt>("CAST(coalesce(sum(executions), 0) AS bigint)"))
                .get_result::<i64>(connection)
                .await?;
            let workflows = workflows::table
                .filter(
                    workflows::organization_id
                        .eq(&organization_id)
                        .and(workflows::deleted_at.is_null()),
                )
                .count()
                .get_result::<i64>(connection)
                .await?;
            Ok((executions, workflows))
        })?;
        Ok(Usage {
            resets_at: resets_at(&month),
            month,
            executions,
            workflows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_when_the_next_begins() {
        for (month, end) in [
            ("2026-11", Some("2026-12-01T00:00:00+00:00")),
            ("2026-12", Some("2027-01-01T00:00:00+00:00")),
            ("2028-02", Some("2028-03-01T00:00:00+00:00")),
            ("soon", None),
        ] {
            let resets = resets_at(month).map(|time| time.to_rfc3339());
            assert_eq!(resets.as_deref(), end, "{month}");
        }
    }
}
