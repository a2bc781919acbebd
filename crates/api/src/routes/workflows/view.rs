//! A workflow as the API shows it.

use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, TemplateId, UserId, WorkflowId};
use gristmill_store::{About, Recent, Workflow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::answer::{etag, json};
use crate::error::Error;

/// The answer's envelope.
#[derive(Serialize)]
struct Body<'a> {
    workflow: View<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a WorkflowId,
    name: &'a str,
    description: Option<&'a str>,
    version: &'a str,
    tags: &'a RawValue,
    is_active: bool,
    /// Since when submits are recorded and not started; null = they are started.
    paused_at: Option<DateTime<Utc>>,
    template_id: Option<&'a TemplateId>,
    revision: i32,
    #[serde(flatten)]
    definition: Definition<'a>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(flatten)]
    about: Option<AboutView<'a>>,
}

/// The stored definition: its parts are handed on as the text that they were sent as, positions and colours included.
#[derive(Serialize, Deserialize)]
pub(crate) struct Definition<'a> {
    #[serde(borrow)]
    nodes: &'a RawValue,
    #[serde(borrow)]
    edges: &'a RawValue,
    #[serde(borrow)]
    variables: &'a RawValue,
    #[serde(borrow)]
    settings: &'a RawValue,
}

/// What is read for itself, when one workflow is asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AboutView<'a> {
    creator: CreatorView<'a>,
    /// Null also when it was taken back since.
    template: Option<TemplateView<'a>>,
    /// The last ones, newest first.
    executions: Vec<RecentView<'a>>,
    /// Ended ones, a few seconds late.
    execution_count: i64,
    last_executed_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatorView<'a> {
    id: &'a UserId,
    name: &'a str,
    email: &'a str,
    /// Nobody has one so far.
    avatar_url: Option<&'a str>,
}

#[derive(Serialize)]
struct TemplateView<'a> {
    id: &'a TemplateId,
    name: &'a str,
    category: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecentView<'a> {
    id: &'a ExecutionId,
    revision: i32,
    status: ExecutionStatus,
    /// From the first claim to the end, in milliseconds.
    duration: Option<i64>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
}

/// 201, with the workflow's place and ETag.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn created(workflow: &Workflow) -> Result<Response, Error> {
    let location = format!("/api/v1/ai-hub/workflows/{}", workflow.id);
    let answer = answer(StatusCode::CREATED, workflow, None)?;
    Ok(([(LOCATION, location)], answer).into_response())
}

/// 200, with the workflow and its ETag.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn shown(workflow: &Workflow) -> Result<Response, Error> {
    answer(StatusCode::OK, workflow, None)
}

/// The same, with what is told beside it.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn shown_with(workflow: &Workflow, about: &About) -> Result<Response, Error> {
    answer(StatusCode::OK, workflow, Some(AboutView::from(about)))
}

fn answer(status: StatusCode, workflow: &Workflow, about: Option<AboutView<'_>>) -> Result<Response, Error> {
    let view = View {
        id: &workflow.id,
        name: &workflow.name,
        description: workflow.description.as_deref(),
        version: &workflow.version,
        tags: serde_json::from_str(&workflow.tags).map_err(Error::internal)?,
        is_active: workflow.is_active,
        paused_at: workflow.paused_at,
        template_id: workflow.template_id.as_ref(),
        revision: workflow.revision,
        definition: Definition::read(&workflow.definition)?,
        created_at: workflow.created_at,
        updated_at: workflow.updated_at,
        about,
    };
    let answer = json(status, &Body { workflow: view })?;
    Ok(([(ETAG, etag(workflow.edition))], answer).into_response())
}

impl<'a> Definition<'a> {
    /// # Errors
    /// When what is stored is not what was stored: a defect.
    pub(crate) fn read(text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(Error::internal)
    }
}

impl<'a> From<&'a About> for AboutView<'a> {
    fn from(about: &'a About) -> Self {
        let template = about.template.as_ref().map(|template| TemplateView {
            id: &template.id,
            name: &template.name,
            category: &template.category,
        });
        Self {
            creator: CreatorView {
                id: &about.creator.id,
                name: &about.creator.name,
                email: &about.creator.email,
                avatar_url: None,
            },
            template,
            executions: about.recent.iter().map(RecentView::from).collect(),
            execution_count: about.execution_count,
            last_executed_at: about.last_executed_at,
        }
    }
}

impl<'a> From<&'a Recent> for RecentView<'a> {
    fn from(recent: &'a Recent) -> Self {
        let ends = recent.completed_at.zip(recent.started_at);
        Self {
            id: &recent.id,
            revision: recent.revision,
            status: recent.status,
            duration: ends.map(|(end, start)| (end - start).num_milliseconds()),
            created_at: recent.created_at,
            started_at: recent.started_at,
            completed_at: recent.completed_at,
        }
    }
}
