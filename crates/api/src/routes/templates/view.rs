//! A template as the API shows it.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use gristmill_core::TemplateId;
use gristmill_store::Template;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::json;
use crate::error::Error;
use crate::routes::workflows::view::Definition;

/// The answer's envelope.
#[derive(Serialize)]
struct Body<'a> {
    template: View<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    id: &'a TemplateId,
    name: &'a str,
    description: Option<&'a str>,
    category: &'a str,
    tags: &'a RawValue,
    /// Whether other organizations see it.
    is_shared: bool,
    /// Whether it is the asking organization's own.
    is_own: bool,
    /// Not in a list.
    #[serde(flatten)]
    definition: Option<Definition<'a>>,
    created_at: DateTime<Utc>,
}

impl<'a> View<'a> {
    /// # Errors
    /// When what is stored is not what was stored: a defect.
    pub(super) fn brief(template: &'a Template) -> Result<Self, Error> {
        Ok(Self {
            id: &template.id,
            name: &template.name,
            description: template.description.as_deref(),
            category: &template.category,
            tags: serde_json::from_str(&template.tags).map_err(Error::internal)?,
            is_shared: template.is_shared,
            is_own: template.is_own,
            definition: None,
            created_at: template.created_at,
        })
    }

    fn whole(template: &'a Template) -> Result<Self, Error> {
        Ok(Self {
            definition: Some(Definition::read(&template.definition)?),
            ..Self::brief(template)?
        })
    }
}

/// 200, with the template.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(super) fn shown(template: &Template) -> Result<Response, Error> {
    let template = View::whole(template)?;
    json(StatusCode::OK, &Body { template })
}

/// 201, with the template and its place.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn published(template: &Template) -> Result<Response, Error> {
    let location = format!("/api/v1/ai-hub/templates/{}", template.id);
    let template = View::whole(template)?;
    let answer = json(StatusCode::CREATED, &Body { template })?;
    Ok(([(LOCATION, location)], answer).into_response())
}
