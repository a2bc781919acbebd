//! What each list of executions reads in a database that holds many: for every combination of filters, the first page and
//! one from the middle, the blocks as `EXPLAIN (ANALYZE, BUFFERS)` counts them on a connection like the API's.

mod cases;
mod fill;
mod report;

use std::sync::Arc;
use std::time::Instant;

use gristmill_core::OrganizationId;
use gristmill_store::{Store, Tenant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Error, Show, database};
use cases::{Case, cases, narrowed_by};
use fill::fill;
pub use report::Report;
use report::{Reading, blocks};

/// How much is stored, and where.
pub struct Options {
    /// How many executions the organization has, and how many another one.
    pub executions: u64,
    /// A PostgreSQL database; its role may make another.
    pub database_url: String,
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
    let name = format!(
        "gristmill_bench_{}_{}",
        std::process::id(),
        Uuid::new_v4().simple()
    );
    let url = database::create(&options.database_url, &name).await?;
    let measured = shutdown
        .run_until_cancelled(measure(options.executions, &url, &show))
        .await;
    let dropped = database::drop_database(&options.database_url, &name).await;
    let readings = measured.unwrap_or(Err(Error::Interrupted))?;
    dropped.map(|()| Report::new(options.executions, readings))
}

async fn measure(executions: u64, url: &str, show: &Arc<dyn Show>) -> Result<Vec<Reading>, Error> {
    let store = Store::open(gristmill_store::Options::new(url)).map_err(Error::Database)?;
    store.migrate().await.map_err(Error::Database)?;
    let tenant = Tenant(OrganizationId::new());
    show.begin("storing", executions);
    let workflows = fill(&database::connect(url).await?, &tenant, executions).await?;
    show.begin("listing", executions);
    let mut readings = Vec::new();
    for case in cases(&workflows, executions) {
        readings.push(read(&store, &tenant, case).await?);
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
