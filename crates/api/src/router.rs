//! The router: every route on one page, and what surrounds them.

mod routes;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;

use crate::http::BASE;
use crate::http::error::Error;
use crate::http::layers::{catch_panic, limit_time, observe, show_rate};
use crate::http::openapi::document_of;
use crate::routes::{audit, executions, keys, probes, submit, templates, usage, workflows};
use crate::state::AppState;
use routes::{Routes, routes};

pub use routes::Route;

/// Every route that needs a key.
fn api() -> Routes {
    routes![
        Routes::below(BASE),
        workflows::list::list,
        workflows::create::create,
        workflows::stats::stats,
        workflows::validate::validate,
        workflows::get::get,
        workflows::update::update,
        workflows::delete::delete,
        workflows::switch::toggle,
        workflows::switch::pause,
        workflows::switch::resume,
        workflows::revisions::revisions,
        workflows::publish::publish,
        submit::execute::execute,
        submit::batch::execute_batch,
        executions::list::list,
        executions::bulk::cancel_many,
        executions::bulk::retry_many,
        executions::get::get,
        executions::delete::delete,
        executions::cancel::cancel,
        executions::retry::retry,
        executions::replay::replay,
        executions::signal::signal,
        executions::journal::journal,
        executions::events::events,
        templates::list::list,
        templates::get::get,
        templates::delete::delete,
        templates::instantiate::instantiate,
        keys::list::list,
        keys::create::create,
        keys::revoke::revoke,
        audit::list::list,
        usage::get,
    ]
}

/// What is asked without a key.
fn probes() -> Routes {
    routes![
        Routes::with_any_query(),
        probes::healthz::healthz,
        probes::readyz::readyz,
        probes::metrics::metrics,
        probes::openapi::openapi,
        probes::docs::docs,
    ]
}

/// Every route's method and path: for tests that have to know all of them.
pub fn routes() -> Vec<Route> {
    [api().list, probes().list].concat()
}

/// The document as JSON, written once.
pub fn openapi() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| document_of(described()));
    &TEXT
}

/// What each route says of itself.
fn described() -> impl Iterator<Item = OpenApi> {
    [api(), probes()].into_iter().flat_map(|routes| routes.documents)
}

/// Every route, and what surrounds all of them.
pub(crate) fn router(state: Arc<AppState>) -> Router {
    api()
        .router
        .merge(probes().router)
        .fallback(async || Error::UnknownRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        // From the inside out: the last one sees every answer, whoever made it.
        .layer(from_fn(show_rate))
        .layer(from_fn(catch_panic))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(from_fn(observe))
        .with_state(state)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Of two shapes of one name, the document would have one.
    #[test]
    fn one_name_is_one_shape() {
        let mut known = BTreeMap::new();
        for document in described() {
            for (name, schema) in document.components.unwrap_or_default().schemas {
                let shape = serde_json::to_value(&schema).unwrap();
                if let Some(other) = known.insert(name.clone(), shape.clone()) {
                    assert_eq!(other, shape, "{name}");
                }
            }
        }
    }
}
