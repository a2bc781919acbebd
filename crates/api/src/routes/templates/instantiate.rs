//! `POST /templates/{id}/instantiate`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use gristmill_core::TemplateId;
use gristmill_core::access::Permission;
use gristmill_store::Template;
use serde_json::{Map, Value, json};

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::{Document, Id};
use crate::http::openapi::schema;
use crate::routes::fields::Fields;
use crate::routes::workflows::draft::Draft;
use crate::routes::workflows::view::{Body, created};
use crate::state::AppState;

const KEYS: [&str; 6] = ["name", "description", "version", "tags", "isActive", "variables"];

/// Makes a workflow from a template. The body may say otherwise than the template, and gives values to its variables; those
/// that it does not name keep the template's.
#[utoipa::path(
    post,
    path = "/templates/{id}/instantiate",
    operation_id = "instantiateTemplate",
    params(
        ("id" = schema::TemplateId, Path, description = "The template's id."),
    ),
    request_body = Option<schema::InstantiateRequest>,
    responses(
        (
            status = 201, description = "The workflow.", body = Body<'static>,
            headers(("location" = String, description = "The workflow's path."), ("etag" = String, description = "Its edition, for `If-Match`."))
        ),
        (status = 429, description = "`limit`: the tier allows no more workflows."),
    )
)]
pub(crate) async fn instantiate(
    State(state): State<Arc<AppState>>,
    principal: Principal,
    Id(id): Id<TemplateId>,
    document: Option<Document>,
) -> Result<Response, Error> {
    principal.require(Permission::WorkflowsCreate)?;
    let (store, tenant) = (&state.services.store, principal.tenant());
    let found = store.template(&tenant, &id).await?;
    let template = found.ok_or(Error::NotFound("template"))?;
    let document = document_of(&template, document.as_ref())?;
    // What an older version published is checked like everything else.
    let mut draft = Draft::read(&document, None, &state.services.registry, &state.options.lanes)
        .map_err(Error::Invalid)?;
    draft.template_id = Some(id);
    let workflow = store
        .create_workflow(&tenant, &principal.actor(), draft.into_new(&principal))
        .await
        .map_err(Error::from_write)?;
    created(&workflow)
}

/// The body that creates the workflow.
fn document_of(template: &Template, given: Option<&Document>) -> Result<Document, Error> {
    let summary = &template.summary;
    let about = json!({"name": summary.name, "description": summary.description}).to_string();
    let (about, definition) = (about.strip_suffix('}'), template.definition.strip_prefix('{'));
    let body = format!(
        r#"{},"tags":{},{}"#,
        about.unwrap_or_default(),
        summary.tags,
        definition.unwrap_or_default()
    );
    let document = Document::parse(body.as_bytes())?;
    let Some(given) = given else { return Ok(document) };
    let mut fields = Fields::of(given);
    fields.refuse_unknown(&KEYS);
    if !fields.problems.is_empty() {
        return Err(Error::Invalid(fields.problems));
    }
    let whole = document.clone().overlaid(given);
    let own = document.values.get("variables").and_then(Value::as_object);
    let variables = match given.values.get("variables") {
        Some(Value::Object(given)) => Value::Object(merged(own, given)).to_string(),
        None | Some(Value::Null) => document.text("variables", "{}").to_owned(),
        // It is among the problems of the whole.
        Some(_) => return Ok(whole),
    };
    let variables = Document::parse(format!(r#"{{"variables":{variables}}}"#).as_bytes())?;
    Ok(whole.overlaid(&variables))
}

fn merged(own: Option<&Map<String, Value>>, given: &Map<String, Value>) -> Map<String, Value> {
    let mut variables = own.cloned().unwrap_or_default();
    variables.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    variables
}
