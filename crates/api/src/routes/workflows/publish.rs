//! `POST /workflows/{id}/publish`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::access::Permission;
use gristmill_core::{Definition, Path, Problem, TemplateId, WorkflowId};
use gristmill_store::{NewTemplate, Workflow};
use serde_json::Value;

use super::draft::{DESCRIPTION, NAME};
use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Document, Id};
use crate::http::openapi::schema;
use crate::routes::fields::{Fields, control_character};
use crate::routes::templates::view::{Body, published};
use crate::state::AppState;

const KEYS: [&str; 5] = ["name", "description", "category", "tags", "isShared"];

/// The length of a category, in characters, and what it is unless it is named.
const CATEGORY: (usize, usize) = (1, 50);
const CUSTOM: &str = "custom";

/// Publishes the newest revision as a template of the organization's, for its own members or for everybody.
#[utoipa::path(
    post,
    path = "/workflows/{id}/publish",
    operation_id = "publishWorkflow",
    params(
        ("id" = schema::WorkflowId, Path, description = "The workflow's id."),
    ),
    request_body = Option<schema::PublishRequest>,
    responses(
        (
            status = 201, description = "Published.", body = Body<'static>,
            headers(("location" = String, description = "The template's path."))
        ),
    )
)]
pub(crate) async fn publish(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<WorkflowId>,
    document: Option<Document>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsEdit)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    let found = store.workflow(&tenant, &id).await?;
    let workflow = found.ok_or(Error::NotFound("workflow"))?;
    let document = match document {
        Some(document) => document,
        None => Document::parse(b"{}")?,
    };
    let new = read(&document, workflow, &principal)?;
    let template = store
        .create_template(&tenant, &principal.actor(), new)
        .await
        .map_err(Error::from_write)?;
    published(&template)
}

/// What the body does not say is the workflow's own.
fn read(document: &Document, workflow: Workflow, principal: &Principal) -> Result<NewTemplate, Error> {
    let mut fields = Fields::of(document);
    fields.refuse_unknown(&KEYS);
    let name = fields.text("name", NAME);
    let description = fields.lines("description", DESCRIPTION);
    let category = fields.text("category", CATEGORY);
    let tags = fields.value("tags").map(|_| fields.tags());
    let is_shared = fields.flag("isShared", false);
    let mut problems = fields.problems;
    if name.is_none() && control_character(&workflow.name).is_some() {
        // Of a name that an earlier version has taken.
        let message = "the workflow's name has a character that no template's may have: give one";
        problems.push(Problem::new("$.name", "invalid_character", message));
    }
    if is_shared {
        problems.extend(bound_to_organization(&workflow.definition)?);
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    Ok(NewTemplate {
        id: TemplateId::new(),
        name: name.unwrap_or(workflow.name),
        description: description.or(workflow.description),
        category: category.unwrap_or_else(|| CUSTOM.to_owned()),
        tags: tags.unwrap_or(workflow.tags),
        is_shared,
        definition: workflow.definition,
        created_by: principal.user.clone(),
    })
}

/// Other organizations do not have the workflows that this one names.
fn bound_to_organization(definition: &str) -> Result<Vec<Problem>, Error> {
    let document = serde_json::from_str(definition).map_err(Error::internal)?;
    let definition = Definition::from_json(&document, &mut Vec::new());
    let mut problems = Vec::new();
    let mut refuse = |path: Path| {
        let message = "a shared template must not name a workflow of its organization; a variable may, such as \
                       {{ vars.workflowId }}";
        problems.push(Problem::new(path, "not_portable", message));
    };
    if definition.settings.on_failure.is_some() {
        refuse(Path::root().key("settings").key("onFailure"));
    }
    for node in definition.nodes.iter().filter(|node| node.kind == "subWorkflow") {
        let named = node.data.get("workflowId").and_then(Value::as_str);
        if named.is_some_and(|text| !text.contains("{{")) {
            refuse(node.path().key("data").key("workflowId"));
        }
    }
    Ok(problems)
}
