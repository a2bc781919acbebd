//! Fill: two organizations with as many executions each, by a few statements.

use chrono::{DateTime, Utc};
use gristmill_core::{OrganizationId, UserId, WorkflowId};
use gristmill_store::Tenant;
use tokio_postgres::Client;

use crate::bench::Error;

/// The workflows of the organization that is measured.
pub(super) struct Workflows {
    /// Has nearly all of its executions.
    pub(super) busy: WorkflowId,
    /// Has one in a thousand.
    pub(super) rare: WorkflowId,
}

/// When the oldest execution was recorded, in seconds since 1970; the others follow one second apart.
const FIRST: i64 = 1_700_000_000;

/// Nearly all COMPLETED, one in a hundred FAILED, the first thousand too, one in two thousand CANCELLED and as many WAITING,
/// and the last five hundred unfinished. One in fifty is in another lane.
const EXECUTIONS: &str = r#"
    INSERT INTO executions
        (id, organization_id, workflow_id, revision, status, lane, attempt, claim_token, claimed_by, journal_len,
         request_hash, input, output, error, nodes_executed, created_at, started_at, completed_at, wake_at)
    SELECT 'wf_exec_' || $1 || lpad(to_hex(number), 31, '0'), $2, CASE WHEN number % 1000 = 7 THEN $4 ELSE $3 END, 1,
        status, CASE WHEN number % 50 = 0 THEN 'bulk' ELSE 'default' END, 1, gen_random_uuid(), 'filler', 5,
        lpad(to_hex(number), 64, '0'), '{"number":' || number || '}',
        CASE status WHEN 'COMPLETED' THEN '{"number":' || number || ',"a":4712,"b":9424,"c":14136,"d":23560}' END,
        CASE status WHEN 'FAILED' THEN '{"code":"http_status","message":"the endpoint answered 500","nodeId":"b"}' END,
        5, moment, moment,
        CASE WHEN status IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN moment END,
        CASE WHEN status IN ('PENDING', 'RUNNING') THEN moment END
    FROM (
        SELECT number, to_timestamp(1700000000 + number) AS moment, CASE
            WHEN number > $5::bigint - 500 THEN (ARRAY['PENDING', 'RUNNING', 'WAITING'])[1 + number % 3]
            WHEN number <= 1000 OR number % 100 = 0 THEN 'FAILED'
            WHEN number % 2000 = 1 THEN 'CANCELLED' WHEN number % 2000 = 2 THEN 'WAITING' ELSE 'COMPLETED' END AS status
        FROM generate_series(1::bigint, $5::bigint) AS number
    ) AS numbered"#;

/// `tag 0` is on one in three, `tag 1` on one in ten thousand, and eight more on one in a hundred each.
const TAGS: &str = "
    INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
    SELECT organization_id, 'tag ' || tag, created_at, id
    FROM executions CROSS JOIN unnest(ARRAY[3, 10000, 100, 101, 102, 103, 104, 105, 106, 107]) WITH ORDINALITY
        AS tagged (each, tag_after)
    CROSS JOIN LATERAL (SELECT tag_after - 1 AS tag) AS numbered
    WHERE organization_id = $1 AND extract(epoch FROM created_at)::bigint % each = 0";

/// What autovacuum would do in the end.
const TIDY_UP: [&str; 2] = ["VACUUM (ANALYZE) executions", "VACUUM (ANALYZE) execution_tags"];

/// Stores `count` executions of the tenant's, and as many of somebody else's.
pub(super) async fn fill(database: &Client, tenant: &Tenant, count: u64) -> Result<Workflows, Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let other = OrganizationId::new();
    let workflows = organization(database, &tenant.0, "0", count).await?;
    organization(database, &other, "f", count).await?;
    let organization = tenant.0.as_str();
    database.execute(TAGS, &[&organization]).await.map_err(failed)?;
    for sql in TIDY_UP {
        database.batch_execute(sql).await.map_err(failed)?;
    }
    Ok(workflows)
}

/// The moment at which the execution of this number was recorded.
pub(super) fn second(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(FIRST + number, 0).unwrap_or_default()
}

async fn organization(
    database: &Client,
    organization: &OrganizationId,
    salt: &str,
    count: i64,
) -> Result<Workflows, Error> {
    let (user, workflows) = (
        UserId::new(),
        Workflows {
            busy: WorkflowId::new(),
            rare: WorkflowId::new(),
        },
    );
    let (busy, rare) = (&workflows.busy, &workflows.rare);
    // Ids are letters and digits.
    let sql = format!(
        "INSERT INTO organizations (id, name) VALUES ('{organization}', 'Benchmark');
         INSERT INTO users (id, name, email) VALUES ('{user}', 'Benchmark', '{user}@example.com');
         INSERT INTO workflows (id, organization_id, name, revision, created_by)
         SELECT id, '{organization}', 'Benchmark', 1, '{user}' FROM unnest(ARRAY['{busy}', '{rare}']) AS id;
         INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
         SELECT '{organization}', id, 1, '{{}}' FROM unnest(ARRAY['{busy}', '{rare}']) AS id"
    );
    database.batch_execute(&sql).await.map_err(failed)?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
        &salt,
        &organization.as_str(),
        &busy.as_str(),
        &rare.as_str(),
        &count,
    ];
    database.execute(EXECUTIONS, &parameters).await.map_err(failed)?;
    Ok(workflows)
}

fn failed(source: tokio_postgres::Error) -> Error {
    Error::Statement {
        doing: "filling the database",
        source,
    }
}
