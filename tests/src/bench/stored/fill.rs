//! Fill: executions that ended long ago, as many as wanted, by two statements.

use tokio_postgres::Client;

use crate::bench::Error;

/// Rows like those of the reference workflow, older than all others, one minute apart.
const EXECUTIONS: &str = r#"
    INSERT INTO executions
        (id, organization_id, workflow_id, revision, status, lane, attempt, claim_token, claimed_by, journal_len,
         request_hash, input, output, nodes_executed, created_at, started_at, completed_at)
    SELECT 'wf_exec_' || lpad(to_hex(number), 32, '0'), w.organization_id, w.id, w.revision, 'COMPLETED', w.lane, 1,
        gen_random_uuid(), 'filler', 5, lpad(to_hex(number), 64, '0'), '{"number":' || number || '}',
        '{"number":' || number || ',"a":4712,"b":9424,"c":14136,"d":23560}', 5, moment, moment, moment
    FROM (SELECT * FROM workflows LIMIT 1) w,
        (SELECT number, timestamptz '2020-01-01Z' + number * interval '1 minute' AS moment
         FROM generate_series($1::bigint, $2::bigint) AS number) old"#;

const JOURNALS: &str = r#"
    INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
    SELECT w.organization_id, 'wf_exec_' || lpad(to_hex(number), 32, '0'), 0, 1,
        '[{"type":"completed","path":"start","at":1577836800000,"durationMs":0,"output":{}},'
        || '{"type":"completed","path":"a","at":1577836800000,"durationMs":0,"output":{"a":4712}},'
        || '{"type":"completed","path":"b","at":1577836800000,"durationMs":0,"output":{"b":9424}},'
        || '{"type":"completed","path":"c","at":1577836800000,"durationMs":0,"output":{"c":14136}},'
        || '{"type":"completed","path":"d","at":1577836800000,"durationMs":0,"output":{"d":23560}}]'
    FROM (SELECT * FROM workflows LIMIT 1) w, generate_series($1::bigint, $2::bigint) AS number"#;

/// What autovacuum would do in the end; here it is done before anything is measured, instead of meanwhile.
const TIDY_UP: &str = "VACUUM (ANALYZE) executions, execution_journal";

/// Adds executions until there are `stored`; answers with how many there are, which is more where more were measured.
pub(super) async fn fill(database: &Client, stored: u64) -> Result<u64, Error> {
    let there = count(database).await?;
    if let Some(missing) = stored.checked_sub(there).filter(|missing| *missing > 0) {
        // Numbers that no earlier fill has used: each of them is smaller than what it has led to.
        let (first, last) = (number(there), number(there + missing - 1));
        for sql in [EXECUTIONS, JOURNALS] {
            let filled = database.execute(sql, &[&first, &last]).await;
            filled.map_err(failed)?;
        }
    }
    database.batch_execute(TIDY_UP).await.map_err(failed)?;
    // Only some roles may; then the server does it when it likes.
    if let Err(error) = database.batch_execute("CHECKPOINT").await {
        eprintln!("no checkpoint before measuring: {error}");
    }
    Ok(there.max(stored))
}

/// How many executions there are.
pub(super) async fn count(database: &Client) -> Result<u64, Error> {
    let row = database
        .query_one("SELECT count(*) FROM executions", &[])
        .await
        .map_err(failed)?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn failed(source: tokio_postgres::Error) -> Error {
    Error::Statement {
        doing: "filling the database",
        source,
    }
}
