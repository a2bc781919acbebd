//! View: a workflow as the API shows it.

use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use gristmill_core::{ExecutionId, ExecutionStatus, TemplateId, UserId, WorkflowId};
use gristmill_store::{ExecutionSummary, Workflow, WorkflowDetails};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::BASE;
use crate::http::answer::{etag, json};
use crate::http::error::Error;
use crate::http::openapi::schema;

/// The answer's envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowAnswer)]
pub(crate) struct Body<'a> {
    workflow: View<'a>,
}

/// The answer's envelope, with what is told beside the workflow.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowDetailsAnswer)]
pub(crate) struct DetailedBody<'a> {
    workflow: Detailed<'a>,
}

/// A workflow, who made it, where it comes from and its last executions.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowDetails)]
struct Detailed<'a> {
    #[serde(flatten)]
    workflow: View<'a>,
    #[serde(flatten)]
    about: AboutView<'a>,
}

/// A workflow, with its newest definition.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    #[schema(value_type = schema::WorkflowId)]
    id: &'a WorkflowId,
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    /// The user's label.
    version: &'a str,
    #[schema(value_type = Vec<String>)]
    tags: &'a RawValue,
    /// Whether it may be executed.
    is_active: bool,
    /// Since when submits are recorded and not started; null = they are started.
    #[schema(required)]
    paused_at: Option<DateTime<Utc>>,
    /// The template that it was made from.
    #[schema(required, value_type = Option<schema::TemplateId>)]
    template_id: Option<&'a TemplateId>,
    /// Counts the definitions that were saved, from 1.
    revision: i32,
    #[serde(flatten)]
    definition: Definition<'a>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The stored definition: its parts are handed on as the text that they were sent as, positions and colours included.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Definition)]
pub(crate) struct Definition<'a> {
    #[serde(borrow)]
    #[schema(value_type = Vec<schema::Node>)]
    nodes: &'a RawValue,
    #[serde(borrow)]
    #[schema(value_type = Vec<schema::Edge>)]
    edges: &'a RawValue,
    /// What expressions see as `vars`.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    variables: &'a RawValue,
    #[serde(borrow)]
    #[schema(value_type = schema::Settings)]
    settings: &'a RawValue,
}

/// What is read for itself, when one workflow is asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowAbout)]
#[serde(rename_all = "camelCase")]
struct AboutView<'a> {
    creator: CreatorView<'a>,
    /// Null also when it was taken back since.
    #[schema(required)]
    template: Option<TemplateView<'a>>,
    /// The last ones, newest first.
    executions: Vec<RecentView<'a>>,
    /// Ended ones, a few seconds late.
    execution_count: i64,
    #[schema(required)]
    last_executed_at: Option<DateTime<Utc>>,
}

/// Who made it.
#[derive(Serialize, ToSchema)]
#[schema(as = Creator)]
#[serde(rename_all = "camelCase")]
struct CreatorView<'a> {
    #[schema(value_type = schema::UserId)]
    id: &'a UserId,
    name: &'a str,
    email: &'a str,
    /// Null until users have pictures: there is no place for one so far.
    #[schema(required)]
    avatar_url: Option<&'a str>,
}

/// The template that it was made from.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateName)]
struct TemplateView<'a> {
    #[schema(value_type = schema::TemplateId)]
    id: &'a TemplateId,
    name: &'a str,
    category: &'a str,
}

/// One of the last executions.
#[derive(Serialize, ToSchema)]
#[schema(as = RecentExecution)]
#[serde(rename_all = "camelCase")]
struct RecentView<'a> {
    #[schema(value_type = schema::ExecutionId)]
    id: &'a ExecutionId,
    revision: i32,
    #[schema(value_type = schema::ExecutionStatus)]
    status: ExecutionStatus,
    /// From the first claim to the end, in milliseconds.
    #[schema(required)]
    duration: Option<i64>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
}

/// 201, with the workflow's place and ETag.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn created(workflow: &Workflow) -> Result<Response, Error> {
    let location = format!("{BASE}/workflows/{}", workflow.id);
    let body = Body {
        workflow: View::new(workflow)?,
    };
    let answer = answer(StatusCode::CREATED, workflow, &body)?;
    Ok(([(LOCATION, location)], answer).into_response())
}

/// 200, with the workflow and its ETag.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn shown(workflow: &Workflow) -> Result<Response, Error> {
    let body = Body {
        workflow: View::new(workflow)?,
    };
    answer(StatusCode::OK, workflow, &body)
}

/// The same, with what is told beside it.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn shown_with(workflow: &Workflow, about: &WorkflowDetails) -> Result<Response, Error> {
    let detailed = Detailed {
        workflow: View::new(workflow)?,
        about: AboutView::from(about),
    };
    answer(StatusCode::OK, workflow, &DetailedBody { workflow: detailed })
}

fn answer(status: StatusCode, workflow: &Workflow, body: &impl Serialize) -> Result<Response, Error> {
    Ok(([(ETAG, etag(workflow.edition))], json(status, body)?).into_response())
}

impl<'a> View<'a> {
    fn new(workflow: &'a Workflow) -> Result<Self, Error> {
        Ok(Self {
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
        })
    }
}

impl<'a> Definition<'a> {
    /// # Errors
    /// When what is stored is not what was stored: a defect.
    pub(crate) fn read(text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(Error::internal)
    }
}

impl<'a> From<&'a WorkflowDetails> for AboutView<'a> {
    fn from(about: &'a WorkflowDetails) -> Self {
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

impl<'a> From<&'a ExecutionSummary> for RecentView<'a> {
    fn from(recent: &'a ExecutionSummary) -> Self {
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
