//! `GET /readyz`

use std::sync::Arc;

use axum::extract::State;
use tokio::time::timeout;
use tracing::debug;

use crate::http::error::Error;
use crate::state::AppState;

/// Whether the database and the broker answer; otherwise 503, which names those that do not.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    responses(
        (status = 200, description = "Ready.", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 503, description = "`not-ready`: which part does not answer."),
    )
)]
pub(crate) async fn readyz(State(state): State<Arc<AppState>>) -> Result<&'static str, Error> {
    let limit = state.options.ready_timeout;
    let (database, broker) = tokio::join!(
        timeout(limit, state.services.store.ping()),
        timeout(limit, state.services.broker.ping()),
    );
    let silent = [("database", failure(database)), ("broker", failure(broker))]
        .into_iter()
        .filter_map(|(part, failure)| {
            let failure = failure?;
            debug!(part, error = &*failure, "not ready");
            Some(part)
        })
        .collect::<Vec<_>>();
    if silent.is_empty() {
        Ok("ready\n")
    } else {
        Err(Error::NotReady(silent))
    }
}

type Failure = Box<dyn std::error::Error + 'static>;

fn failure<E: std::error::Error + 'static>(
    answer: Result<Result<(), E>, tokio::time::error::Elapsed>,
) -> Option<Failure> {
    match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.into()),
        Err(elapsed) => Some(elapsed.into()),
    }
}
