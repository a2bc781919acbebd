//! OpenAPI: the document that describes every route (OpenAPI 3.1), as `/openapi.json` answers with it.
//!
//! What is particular to a route stands beside its handler in `#[utoipa::path]`, by which the router knows it, too. What all
//! routes have in common is added here: the key, the answers to what any request can have
//! wrong, the header with the request's id. What the answers look like is in `examples.json`.

mod common;
mod examples;
pub(crate) mod query;
pub(crate) mod schema;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::http::problem;

/// The document's head. The paths come from the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gristmill",
        description = "Runs workflows from a queue. A producer submits executions; workers run each workflow's graph, and \
                       every status transition is recorded.\n\nEvery answer that is not a success is a problem document \
                       (RFC 9457) with a stable `type`, and says in `detail` what to do next and whether a repeat is safe.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "Where this document came from")),
    tags(
        (name = "workflows", description = "Stored definitions, and the way to run them"),
        (name = "executions", description = "Runs of workflows"),
        (name = "templates", description = "Workflows to start from"),
        (name = "keys", description = "API keys: shown once, stored as a hash"),
        (name = "audit", description = "Who did what, to which object, when and with which key"),
        (name = "usage", description = "What the organization has used of what its tier allows"),
        (name = "probes", description = "For load balancers, monitoring and people; no key is needed"),
    ),
    components(schemas(problem::Document)),
)]
struct Head;

/// The document as JSON, of what routes say of themselves.
pub(crate) fn document_of(routes: impl Iterator<Item = OpenApi>) -> String {
    let mut document = Head::openapi();
    routes.for_each(|route| document.merge(route));
    common::add(&mut document);
    // Made of strings and numbers: there is nothing that could fail.
    document.to_json().unwrap_or_default()
}
