//! The document that describes every route (OpenAPI 3.1), as `/openapi.json` answers with it.
//!
//! What is particular to a route stands beside its handler in `#[utoipa::path]`, and each resource lists its handlers in
//! `routes/<resource>.rs`. What all routes have in common is added here: the key, the answers to what any request can have
//! wrong, the header with the request's id. What the answers look like is in `examples.json`.

mod common;
mod examples;
pub(crate) mod query;
pub(crate) mod schema;

use std::sync::LazyLock;

use utoipa::OpenApi;

use crate::http::problem;
use crate::routes::{audit, executions, keys, probes, submit, templates, usage, workflows};

/// The document's head. The paths come from the resources.
#[derive(OpenApi)]
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

/// The document as JSON, written once.
pub fn openapi() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut document = Head::openapi();
        for part in parts() {
            document.merge(part);
        }
        common::add(&mut document);
        // Made of strings and numbers: there is nothing that could fail.
        document.to_json().unwrap_or_default()
    });
    &TEXT
}

/// What each resource says of its routes.
fn parts() -> Vec<utoipa::openapi::OpenApi> {
    vec![
        workflows::Described::openapi(),
        submit::Described::openapi(),
        executions::Described::openapi(),
        templates::Described::openapi(),
        keys::Described::openapi(),
        audit::Described::openapi(),
        usage::Described::openapi(),
        probes::Described::openapi(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Of two shapes of one name, the document would have one.
    #[test]
    fn one_name_is_one_shape() {
        let mut known = BTreeMap::new();
        for part in parts() {
            for (name, schema) in part.components.unwrap_or_default().schemas {
                let shape = serde_json::to_value(&schema).unwrap();
                if let Some(other) = known.insert(name.clone(), shape.clone()) {
                    assert_eq!(other, shape, "{name}");
                }
            }
        }
    }
}
