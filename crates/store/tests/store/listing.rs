//! Listing: pages of executions, and what each filter finds.

use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, OrganizationId, WorkflowId};
use gristmill_store::{Actor, Cursor, Deleted, ExecutionFilter, Tenant};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

/// An execution as the test knows it.
#[derive(Debug, Clone)]
struct Known {
    organization: OrganizationId,
    workflow: WorkflowId,
    id: ExecutionId,
    status: ExecutionStatus,
    lane: &'static str,
    tags: Vec<&'static str>,
    micros: i64,
}

/// When the oldest one was recorded.
const EPOCH: i64 = 1_700_000_000_000_000;

/// Every combination of filters, page by page, against what a reader of the whole table would answer.
pub(crate) async fn a_list_has_what_its_filter_says_newest_first_and_once(db: &TestDatabase) {
    let (ours, theirs) = (World::new(db).await, World::new(db).await);
    let rare = ours.add_workflow("default").await;
    let mut known = Vec::new();
    for number in 0..600_i64 {
        let world = if number % 3 == 0 { &theirs } else { &ours };
        let workflow = if number % 47 == 1 { &rare } else { &world.workflow };
        let tags = [
            (number % 4 == 1).then_some("paid"),
            (number % 5 == 2).then_some("night, late"),
            (number % 101 == 4).then_some("audit"),
        ];
        known.push(Known {
            organization: world.tenant.0.clone(),
            workflow: workflow.clone(),
            id: ExecutionId::new(),
            status: ExecutionStatus::ALL[(number * number % 7 % 6) as usize],
            lane: if number % 11 == 1 { "bulk" } else { "default" },
            tags: tags.into_iter().flatten().collect(),
            // Many at the same moment, and neither in the order of their ids.
            micros: EPOCH + (number * 7_919 % 600 / 5) * 1_000,
        });
    }
    // A rare workflow is ours; what they have of it would be refused by a foreign key.
    known.retain(|row| row.workflow != rare || row.organization == ours.tenant.0);
    insert(db, &known).await;

    use ExecutionStatus::*;
    let statuses: [&[ExecutionStatus]; 6] = [
        &[],
        &[Completed],
        &[Failed, Cancelled],
        &[Running],
        &[Pending, Waiting],
        &[Running, Completed, Failed],
    ];
    let ranges = [
        (None, None),
        (Some(20), None),
        (None, Some(90)),
        (Some(20), Some(60)),
        (Some(60), Some(20)),
    ];
    let tags: [&[&str]; 4] = [&[], &["paid"], &["paid", "night, late", "audit"], &["none"]];
    let mut lists = 0;
    for workflow in [None, Some(&ours.workflow), Some(&rare)] {
        for statuses in statuses {
            for (from, to) in ranges {
                for lane in [None, Some("bulk")] {
                    for tags in tags {
                        let filter = ExecutionFilter {
                            workflow_id: workflow.cloned(),
                            statuses: statuses.to_vec(),
                            created_from: from.map(moment),
                            created_to: to.map(moment),
                            lane: lane.map(str::to_owned),
                            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                        };
                        let limit = if lists % 2 == 0 { 7 } else { 100 };
                        let found = traverse(db, &ours.tenant, &filter, limit).await;
                        assert_eq!(
                            found,
                            expected(&known, &ours.tenant, &filter),
                            "{filter:?} by {limit}"
                        );
                        lists += 1;
                    }
                }
            }
        }
    }
    let foreign = ExecutionFilter {
        workflow_id: Some(theirs.workflow.clone()),
        ..ExecutionFilter::default()
    };
    assert_eq!(traverse(db, &ours.tenant, &foreign, 100).await, []);
}

pub(crate) async fn the_tags_of_a_deleted_execution_go_with_it(db: &TestDatabase) {
    let world = World::new(db).await;
    let known = Known {
        organization: world.tenant.0.clone(),
        workflow: world.workflow.clone(),
        id: ExecutionId::new(),
        status: ExecutionStatus::Completed,
        lane: "default",
        tags: vec!["paid", "audit"],
        micros: EPOCH,
    };
    insert(db, std::slice::from_ref(&known)).await;
    assert_eq!(
        world
            .protocol()
            .delete(&world.tenant, &Actor::OPERATOR, &known.id)
            .await
            .unwrap(),
        Deleted::Yes
    );
    assert_eq!(
        raw::texts(db, "SELECT tag AS value FROM execution_tags").await,
        []
    );
}

/// A hundred thousand executions of ours and as many of somebody else's. The same with a million each, and what each list
/// reads then, is `gristmill-tests listing`.
#[tokio::test(flavor = "multi_thread")]
async fn every_list_reads_few_blocks_however_much_is_stored() {
    let db = TestDatabase::postgres().await;
    let (ours, theirs) = (World::new(&db).await, World::new(&db).await);
    let rare = ours.add_workflow("default").await;
    for (world, other) in [(&ours, &rare), (&theirs, &theirs.workflow)] {
        raw::execute(&db, &many(world, other, 100_000)).await;
    }
    // Each in a statement of its own, which may not be part of a transaction.
    raw::execute(&db, "VACUUM ANALYZE executions").await;
    raw::execute(&db, "VACUUM ANALYZE execution_tags").await;
    let statuses = [
        vec![],
        vec!["FAILED"],
        vec!["COMPLETED"],
        vec!["RUNNING"],
        vec!["CANCELLED", "FAILED", "WAITING"],
    ];
    for workflow in [None, Some(&ours.workflow), Some(&rare)] {
        for statuses in &statuses {
            for (from, to) in [(None, None), (Some(100), Some(40_000)), (Some(200_000), None)] {
                for (lane, tags) in [(None, 0), (Some("bulk"), 0), (None, 1), (Some("default"), 10)] {
                    for after in [None, Some(50_000)] {
                        let filter = ExecutionFilter {
                            workflow_id: workflow.cloned(),
                            statuses: statuses.iter().map(|status| status.parse().unwrap()).collect(),
                            created_from: from.map(second),
                            created_to: to.map(second),
                            lane: lane.map(str::to_owned),
                            tags: (0..tags).map(|tag| format!("tag {tag}")).collect(),
                        };
                        let after = after.map(|number| Cursor {
                            created_at: second(number),
                            id: format!("wf_exec_{number:032x}").parse().unwrap(),
                        });
                        assert_few_blocks(&db, &ours.tenant, &filter, after.as_ref()).await;
                    }
                }
            }
        }
    }
}

/// Until the next vacuum, an index keeps what each execution was before it ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_does_not_read_what_its_executions_were_before() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    raw::execute(&db, "ALTER TABLE executions SET (autovacuum_enabled = false)").await;
    let sql = format!(
        "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, wake_at, request_hash, input, created_at)
         SELECT 'wf_exec_' || n, '{}', '{}', 1, 'default', clock_timestamp(), '', '{{}}', to_timestamp({} + n)
         FROM generate_series(1, 20000) n",
        world.tenant.0,
        world.workflow,
        EPOCH / 1_000_000,
    );
    raw::execute(&db, &sql).await;
    for change in [
        "status = 'RUNNING', started_at = created_at, claim_token = gen_random_uuid()",
        "status = 'COMPLETED', completed_at = created_at, wake_at = NULL, output = '{}'",
    ] {
        raw::execute(&db, &format!("UPDATE executions SET {change}")).await;
    }
    for workflow_id in [None, Some(world.workflow.clone())] {
        let filter = ExecutionFilter {
            workflow_id,
            ..ExecutionFilter::default()
        };
        assert_few_blocks(&db, &world.tenant, &filter, None).await;
    }
}

/// What the planner knows of a table is as old as its last analysis.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_grown_since_it_was_analysed_is_not_collected_whole() {
    let db = TestDatabase::postgres().await;
    let (ours, theirs) = (World::new(&db).await, World::new(&db).await);
    raw::execute(&db, "ALTER TABLE executions SET (autovacuum_enabled = false)").await;
    raw::execute(&db, &many(&theirs, &theirs.workflow, 20_000)).await;
    // Fewer than a page has: then they are collected and sorted sooner than read in their order.
    raw::execute(&db, &many(&ours, &ours.add_workflow("default").await, 2_000)).await;
    raw::execute(&db, "ANALYZE executions").await;
    let failed = |workflow: &WorkflowId| {
        format!(
            "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, status, completed_at, request_hash,
                input, error, created_at)
             SELECT 'wf_exec_e' || n, '{}', '{workflow}', 1, 'default', 'FAILED', clock_timestamp(), '', '{{}}', '{{}}',
                to_timestamp({} + n)
             FROM generate_series(3000, 20000) n ORDER BY random()",
            ours.tenant.0,
            EPOCH / 1_000_000,
        )
    };
    raw::execute(&db, &failed(&ours.workflow)).await;
    let filter = ExecutionFilter {
        statuses: vec![ExecutionStatus::Failed],
        ..ExecutionFilter::default()
    };
    assert_few_blocks(&db, &ours.tenant, &filter, None).await;
}

async fn assert_few_blocks(
    db: &TestDatabase,
    tenant: &Tenant,
    filter: &ExecutionFilter,
    after: Option<&Cursor<ExecutionId>>,
) {
    let plan = db
        .store()
        .explain_list_executions(tenant, filter, after, 100)
        .await
        .unwrap();
    assert!(blocks(&plan) <= 300, "{filter:?} after {after:?}:\n{plan}");
}

/// Of the whole statement: the first line that tells.
fn blocks(plan: &str) -> u64 {
    let line = plan.lines().find(|line| line.contains("Buffers: shared"));
    let numbers = line.unwrap_or_default().split([' ', '=']);
    let words: Vec<_> = numbers.collect();
    let read = words.windows(2).filter(|pair| ["hit", "read"].contains(&pair[0]));
    read.map(|pair| pair[1].parse::<u64>().unwrap()).sum()
}

/// Nearly all COMPLETED, a few of each other status, one in fifty in another lane, and two tags: on a third, and on few.
fn many(world: &World<'_>, rare: &WorkflowId, count: u32) -> String {
    let (organization, workflow) = (&world.tenant.0, &world.workflow);
    // One organization's ids must not be the other's.
    let salt = if *rare == world.workflow { "f" } else { "0" };
    format!(
        "INSERT INTO executions (id, organization_id, workflow_id, revision, status, lane, claim_token, started_at,
            completed_at, wake_at, request_hash, input, output, error, created_at)
         SELECT 'wf_exec_{salt}' || lpad(to_hex(n), 31, '0'), '{organization}',
            CASE WHEN n % 1000 = 7 THEN '{rare}' ELSE '{workflow}' END, 1, status,
            CASE WHEN n % 50 = 0 THEN 'bulk' ELSE 'default' END, gen_random_uuid(), at,
            CASE WHEN status IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN at END,
            CASE WHEN status IN ('PENDING', 'RUNNING') THEN at END, '', '{{}}',
            CASE status WHEN 'COMPLETED' THEN '{{}}' END, CASE status WHEN 'FAILED' THEN '{{}}' END, at
         FROM (
            SELECT n, to_timestamp({epoch} + n) AS at, CASE
                WHEN n < 300 OR n % 500 = 0 THEN 'FAILED' WHEN n % 2000 = 1 THEN 'CANCELLED'
                WHEN n % 3000 = 2 THEN 'WAITING' WHEN n > {count} - 200 AND n % 2 = 0 THEN 'RUNNING'
                WHEN n > {count} - 200 THEN 'PENDING' ELSE 'COMPLETED' END AS status
            FROM generate_series(1, {count}) n
         ) numbered;
         INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
         SELECT organization_id, 'tag 0', created_at, id FROM executions
         WHERE organization_id = '{organization}' AND extract(epoch FROM created_at)::bigint % 3 = 0
         UNION ALL SELECT organization_id, 'tag 1', created_at, id FROM executions
         WHERE organization_id = '{organization}' AND extract(epoch FROM created_at)::bigint % 5000 = 0",
        epoch = EPOCH / 1_000_000,
    )
}

async fn traverse(
    db: &TestDatabase,
    tenant: &Tenant,
    filter: &ExecutionFilter,
    limit: usize,
) -> Vec<ExecutionId> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = db
            .store()
            .list_executions(tenant, filter, after.as_ref(), limit)
            .await
            .unwrap();
        assert!(page.executions.len() <= limit);
        found.extend(page.executions.into_iter().map(|execution| execution.id));
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

fn expected(known: &[Known], tenant: &Tenant, filter: &ExecutionFilter) -> Vec<ExecutionId> {
    let within = |row: &Known| {
        let at = DateTime::from_timestamp_micros(row.micros).unwrap();
        filter.created_from.is_none_or(|from| at >= from) && filter.created_to.is_none_or(|to| at <= to)
    };
    let mut rows: Vec<_> = known
        .iter()
        .filter(|row| {
            row.organization == tenant.0
                && filter.workflow_id.as_ref().is_none_or(|id| *id == row.workflow)
                && (filter.statuses.is_empty() || filter.statuses.contains(&row.status))
                && filter.lane.as_ref().is_none_or(|lane| lane == row.lane)
                && (filter.tags.is_empty() || filter.tags.iter().any(|tag| row.tags.contains(&tag.as_str())))
                && within(row)
        })
        .collect();
    rows.sort_by(|one, other| (other.micros, &other.id).cmp(&(one.micros, &one.id)));
    rows.into_iter().map(|row| row.id.clone()).collect()
}

async fn insert(db: &TestDatabase, known: &[Known]) {
    let moment = |micros: i64| match raw::sqlite_path(db) {
        Some(_) => micros.to_string(),
        None => format!("timestamptz 'epoch' + interval '1 microsecond' * {micros}"),
    };
    let mut sql = String::new();
    for row in known {
        let at = moment(row.micros);
        let (ended, runs) = (row.status.is_terminal(), row.status == ExecutionStatus::Running);
        let due = matches!(row.status, ExecutionStatus::Pending | ExecutionStatus::Running);
        let or_null = |is: bool, value: &str| if is { value.to_owned() } else { "NULL".to_owned() };
        sql += &format!(
            "INSERT INTO executions (id, organization_id, workflow_id, revision, status, lane, request_hash, input,
                created_at, completed_at, wake_at, started_at, claim_token, output, error)
             VALUES ('{}', '{}', '{}', 1, '{}', '{}', '', '{{}}', {at}, {}, {}, {}, {}, {}, {});",
            row.id,
            row.organization,
            row.workflow,
            row.status,
            row.lane,
            or_null(ended, &at),
            or_null(due, &at),
            or_null(runs, &at),
            or_null(runs, "'00000000-0000-0000-0000-000000000000'"),
            or_null(row.status == ExecutionStatus::Completed, "'{}'"),
            or_null(row.status == ExecutionStatus::Failed, "'{}'"),
        );
        for tag in &row.tags {
            sql += &format!(
                "INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
                 VALUES ('{}', '{tag}', {at}, '{}');",
                row.organization, row.id
            );
        }
    }
    raw::execute(db, &sql).await;
}

/// The moment of the ones recorded so many milliseconds after the first.
fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(EPOCH + millis * 1_000).unwrap()
}

fn second(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(EPOCH + number * 1_000_000).unwrap()
}
