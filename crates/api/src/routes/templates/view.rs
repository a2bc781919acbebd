//! View: a template as the API shows it.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use gristmill_core::TemplateId;
use gristmill_store::{Template, TemplateSummary};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::BASE;
use crate::http::answer::json;
use crate::http::error::Error;
use crate::http::openapi::schema;
use crate::routes::workflows::view::Definition;

/// The answer's envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateAnswer)]
pub(crate) struct Body<'a> {
    template: View<'a>,
}

/// A template, with its definition.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
struct View<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    #[serde(flatten)]
    definition: Definition<'a>,
}

/// A template without its definition, as a list shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateSummary)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    #[schema(value_type = schema::TemplateId)]
    id: &'a TemplateId,
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    category: &'a str,
    #[schema(value_type = Vec<String>)]
    tags: &'a RawValue,
    /// Whether other organizations see it.
    is_shared: bool,
    /// Whether it is the asking organization's own.
    is_own: bool,
    created_at: DateTime<Utc>,
}

impl<'a> Summary<'a> {
    /// # Errors
    /// When what is stored is not what was stored: a defect.
    pub(super) fn new(template: &'a TemplateSummary) -> Result<Self, Error> {
        Ok(Self {
            id: &template.id,
            name: &template.name,
            description: template.description.as_deref(),
            category: &template.category,
            tags: serde_json::from_str(&template.tags).map_err(Error::internal)?,
            is_shared: template.is_shared,
            is_own: template.is_own,
            created_at: template.created_at,
        })
    }
}

impl<'a> View<'a> {
    fn new(template: &'a Template) -> Result<Self, Error> {
        Ok(Self {
            summary: Summary::new(&template.summary)?,
            definition: Definition::read(&template.definition)?,
        })
    }
}

/// 200, with the template.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(super) fn shown(template: &Template) -> Result<Response, Error> {
    let template = View::new(template)?;
    json(StatusCode::OK, &Body { template })
}

/// 201, with the template and its place.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn published(template: &Template) -> Result<Response, Error> {
    let location = format!("{BASE}/templates/{}", template.summary.id);
    let template = View::new(template)?;
    let answer = json(StatusCode::CREATED, &Body { template })?;
    Ok(([(LOCATION, location)], answer).into_response())
}
