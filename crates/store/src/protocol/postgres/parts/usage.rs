//! Usage: counting executions against the month.
//!
//! Whoever inserts executions counts them in the same statement. Without a limit, in the slot of its transaction: two that
//! count at the same time hardly ever want the same row. With one, in slot 0, whose lock is taken first: whoever has it sees
//! what everybody before it has used, and of two hundred who want the last free place one gets it. Slots are locked after
//! the executions that a statement changes, and those of several organizations in the order of their ids, by the relay's
//! transaction of many statements as well. So a transaction has one slot of each organization, and no two wait for each
//! other in a ring. (Groups that settle children of several organizations still may; one of them is then redone.)

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::{Error, Reached};

/// This month, as `usage_counters` names it.
macro_rules! month {
    () => {
        "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM')"
    };
}

/// The slot of somebody without a limit. There are enough for many processes at a time, and few enough to be added up.
///
/// All statements of a transaction have the same one: with another for each, two transactions of sixty such statements take
/// each other's in opposite orders. Transactions that run at the same time have numbers that lie close together, and so
/// slots of their own.
macro_rules! any_slot {
    () => {
        "1 + (pg_current_xact_id()::text::bigint % 128)::int"
    };
}

/// How many executions a month the tier `$tier` allows; null = any number. What the tiers allow is said in
/// `gristmill_core::access`, which a test holds this against.
macro_rules! limit_of {
    ($tier:literal) => {
        concat!(
            "CASE ",
            $tier,
            " WHEN 'FREE' THEN 0 WHEN 'STARTER' THEN 0 WHEN 'GROWTH' THEN 1000 END"
        )
    };
}

/// The part of a statement that counts the rows of `inserted`, of the organization `$organization`, in a month and slot.
macro_rules! count_inserted {
    ($organization:expr, $month:expr, $slot:expr) => {
        concat!(
            "counted AS (
                INSERT INTO usage_counters AS u (organization_id, month, slot, executions)
                SELECT ",
            $organization,
            ", ",
            $month,
            ", ",
            $slot,
            ", count(*) FROM inserted HAVING count(*) > 0
                ON CONFLICT (organization_id, month, slot) DO UPDATE SET executions = u.executions + excluded.executions
            ) "
        )
    };
}

pub(crate) use {any_slot, count_inserted, limit_of, month};

/// The lock that orders everybody who has a limit, with what was used when it was had: an update waits for the row, and
/// then goes on with what is in it by then. What is counted in other slots meanwhile has no limit, and counts as later.
const LOCK: &str = concat!(
    "INSERT INTO usage_counters AS u (organization_id, month, slot, executions) VALUES ($1, ",
    month!(),
    ", 0, 0)
    ON CONFLICT (organization_id, month, slot) DO UPDATE SET executions = u.executions
    RETURNING u.month, u.executions + (
        SELECT coalesce(sum(o.executions), 0)::bigint FROM usage_counters o
        WHERE o.organization_id = u.organization_id AND o.month = u.month AND o.slot <> 0
    ) AS used"
);

/// What was used of a month that is locked.
#[derive(QueryableByName)]
pub(crate) struct Locked {
    #[diesel(sql_type = Text)]
    pub(crate) month: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) used: i64,
}

impl Locked {
    /// Whether there is room for one more.
    pub(crate) fn has_room(&self, limit: u32) -> bool {
        self.used < i64::from(limit)
    }

    /// What is answered to one more, after `admitted` others.
    pub(crate) fn reached(&self, limit: u32, admitted: i64) -> Reached {
        crate::tables::usage::month_reached(&self.month, limit, self.used + admitted)
    }
}

/// Locks what an organization has used, until the end of the transaction.
pub(crate) async fn lock(connection: &mut AsyncPgConnection, organization_id: &str) -> Result<Locked, Error> {
    let lock = sql_query(LOCK).bind::<Text, _>(organization_id);
    Ok(Cached(lock).get_result(connection).await?)
}

#[cfg(test)]
mod tests {
    use gristmill_core::access::Tier;

    #[test]
    fn statements_and_access_rules_know_the_same_limits() {
        let cases: Vec<_> = Tier::ALL
            .into_iter()
            .filter_map(|tier| Some((tier, tier.limits().executions_per_month?)))
            .map(|(tier, limit)| format!("WHEN '{tier}' THEN {limit}"))
            .collect();
        assert_eq!(limit_of!("tier"), format!("CASE tier {} END", cases.join(" ")));
    }
}
