//! Usage: counting executions against the month. There is one writer, so what was read at the beginning of a transaction
//! holds to its end, and everybody counts in one slot.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::access::Tier;

use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::tables::usage::month_reached;
use crate::{Error, Reached};

const USED: &str = "
    SELECT month, (
        SELECT coalesce(sum(executions), 0) FROM usage_counters WHERE organization_id = ?1 AND month = this.month
    ) AS used
    FROM (SELECT strftime('%Y-%m', 'now') AS month) AS this";

const COUNT: &str = "
    INSERT INTO usage_counters (organization_id, month, slot, executions) VALUES (?1, ?2, 0, ?3)
    ON CONFLICT (organization_id, month, slot) DO UPDATE SET executions = executions + excluded.executions";

const TIER: &str = "SELECT tier FROM organizations WHERE id = ?1";

/// What an organization has used of this month.
pub(crate) struct Tally {
    month: String,
    used: i64,
    added: i64,
}

impl Tally {
    pub(crate) fn read(connection: &mut SqliteConnection, organization_id: &str) -> Result<Self, Error> {
        let query = sql_query(USED).bind::<Text, _>(organization_id);
        let used: Used = Cached(query).get_result(connection)?;
        Ok(Self {
            month: used.month,
            used: used.used,
            added: 0,
        })
    }

    /// What is answered to one more, when there is no room for it.
    pub(crate) fn reached(&self, limit: Option<u32>) -> Option<Reached> {
        let limit = limit.filter(|limit| self.used + self.added >= i64::from(*limit))?;
        Some(month_reached(&self.month, limit, self.used + self.added))
    }

    /// One more was inserted.
    pub(crate) fn add(&mut self) {
        self.added += 1;
    }

    /// Writes down what was added; the last that is done with it.
    pub(crate) fn save(self, connection: &mut SqliteConnection, organization_id: &str) -> Result<(), Error> {
        if self.added > 0 {
            let query = sql_query(COUNT)
                .bind::<Text, _>(organization_id)
                .bind::<Text, _>(self.month)
                .bind::<BigInt, _>(self.added);
            Cached(query).execute(connection)?;
        }
        Ok(())
    }
}

/// How many executions a month the tier of an organization allows.
pub(crate) fn limit_of(
    connection: &mut SqliteConnection,
    organization_id: &str,
) -> Result<Option<u32>, Error> {
    let query = sql_query(TIER).bind::<Text, _>(organization_id);
    let organization: Organization = Cached(query).get_result(connection)?;
    let tier: Tier = parse("tier", &organization.tier)?;
    Ok(tier.limits().executions_per_month)
}

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = Text)]
    month: String,
    #[diesel(sql_type = BigInt)]
    used: i64,
}

#[derive(QueryableByName)]
struct Organization {
    #[diesel(sql_type = Text)]
    tier: String,
}
