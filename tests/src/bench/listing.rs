//! Listing: what each list of executions reads in a database that holds many: for every combination of filters, the first
//! page and one from the middle, the blocks as `EXPLAIN (ANALYZE, BUFFERS)` counts them on a connection like the API's.

mod cases;
mod fill;
mod report;

use std::sync::Arc;
use std::time::Instant;

use gristmill_bench::Show;
use gristmill_core::OrganizationId;
use gristmill_store::{Store, Tenant};
use gristmill_testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

use crate::bench::Error;
use crate::bench::database::connect;
use cases::{Case, cases, narrowed_by};
use fill::fill;
pub use report::Report;
use report::{Reading, blocks};

/// How much is stored.
pub struct Options {
    /// How many executions the organization has, and how many another one.
    pub executions: u64,
}

/// Measures in a database of its own, which is gone at the end.
///
/// # Errors
/// When the database refuses something.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    show: Arc<dyn Show>,
) -> Result<Report, Error> {
    let database = TestDatabase::postgres().await;
    let measured = shutdown
        .run_until_cancelled(measure(options.executions, &database, &show))
        .await;
    let readings = measured.unwrap_or(Err(Error::Interrupted))?;
    Ok(Report::new(options.executions, readings))
}

async fn measure(
    executions: u64,
    database: &TestDatabase,
    show: &Arc<dyn Show>,
) -> Result<Vec<Reading>, Error> {
    let tenant = Tenant(OrganizationId::new());
    show.begin("storing", executions);
    let workflows = fill(&connect(database.url()).await?, &tenant, executions).await?;
    show.begin("listing", executions);
    let mut readings = Vec::new();
    for case in cases(&workflows, executions) {
        readings.push(read(database.store(), &tenant, case).await?);
    }
    Ok(readings)
}

async fn read(store: &Store, tenant: &Tenant, case: Case) -> Result<Reading, Error> {
    let began = Instant::now();
    let after = case.after.as_ref();
    let page = store
        .list_executions(tenant, &case.filter, after, case.limit)
        .await
        .map_err(Error::Database)?;
    let took = began.elapsed();
    let plan = store
        .explain_list_executions(tenant, &case.filter, after, case.limit)
        .await
        .map_err(Error::Database)?;
    let filters = narrowed_by(&case.filter);
    Ok(Reading::new(
        case.name,
        filters,
        blocks(&plan),
        page.executions.len(),
        took,
    ))
}
