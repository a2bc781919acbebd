//! A draft: what a workflow may be, and every problem with it, for creating one and for changing one as a whole.

use gristmill_core::{Problem, TemplateId, WorkflowId};
use gristmill_engine::{Registry, compile_json};
use gristmill_store::{DefinitionFacts, NewWorkflow, Tenant, Workflow, WorkflowChange};
use serde_json::json;

use crate::auth::principal::Principal;
use crate::http::error::Error;
use crate::http::extract::Document;
use crate::routes::fields::Fields;
use crate::state::AppState;

/// A workflow that may be stored.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) version: String,
    /// A JSON array of strings.
    pub(crate) tags: String,
    pub(crate) is_active: bool,
    pub(crate) template_id: Option<TemplateId>,
    pub(crate) facts: DefinitionFacts,
    /// `nodes`, `edges`, `variables` and `settings` in one object, each as the text that it was sent as.
    pub(crate) definition: String,
}

const KEYS: [&str; 10] = [
    "name",
    "description",
    "version",
    "tags",
    "isActive",
    "templateId",
    "nodes",
    "edges",
    "variables",
    "settings",
];

/// Lengths, in characters.
pub(crate) const NAME: (usize, usize) = (3, 100);
pub(crate) const DESCRIPTION: (usize, usize) = (0, 1_000);
const VERSION: (usize, usize) = (1, 50);

/// The lane of a workflow that names none.
const DEFAULT_LANE: &str = "default";

impl Draft {
    /// Reads and checks a body, which stands in place of what is `stored`.
    ///
    /// # Errors
    /// Every problem at once: of the fields, and of the definition.
    pub(crate) fn read(
        document: &Document,
        stored: Option<&Document>,
        registry: &Registry,
        lanes: &[String],
    ) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::over(document, stored);
        fields.refuse_unknown(&KEYS);
        let name = fields.text("name", NAME);
        if name.is_none() && fields.value("name").is_none() {
            fields.add("name", "missing", "`name` is required".to_owned());
        }
        let description = fields.lines("description", DESCRIPTION);
        let version = fields
            .text("version", VERSION)
            .unwrap_or_else(|| "1.0.0".to_owned());
        let tags = fields.tags();
        let is_active = fields.flag("isActive", true);
        let template_id = fields.id("templateId");

        let mut problems = fields.problems;
        let lane = lane_of(document);
        if !lanes.iter().any(|known| known == lane) {
            let message = format!("unknown lane `{lane}`; the lanes are {}", lanes.join(", "));
            problems.push(Problem::new("$.settings.lane", "unknown_lane", message));
        }
        let facts = match compile_json(&document.values, registry) {
            Ok((definition, plan)) => Some(DefinitionFacts {
                checks_input: plan.checks_input(),
                ..DefinitionFacts::from(&definition.settings)
            }),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        match (name, facts) {
            (Some(name), Some(facts)) if problems.is_empty() => Ok(Self {
                name,
                description,
                version,
                tags,
                is_active,
                template_id,
                facts,
                definition: definition_of(document),
            }),
            _ => Err(problems),
        }
    }
}

impl Draft {
    /// Makes sure that the tenant sees the template that is named.
    ///
    /// # Errors
    /// 422, or the database's failure.
    pub(crate) async fn check_template(&self, state: &AppState, tenant: &Tenant) -> Result<(), Error> {
        let Some(id) = &self.template_id else {
            return Ok(());
        };
        if state.services.store.template(tenant, id).await?.is_some() {
            return Ok(());
        }
        let message = format!("there is no template {id}");
        Err(Error::Invalid(vec![Problem::new(
            "$.templateId",
            "unknown_template",
            message,
        )]))
    }

    /// As a new workflow of the caller's.
    pub(crate) fn into_new(self, principal: &Principal) -> NewWorkflow {
        NewWorkflow {
            id: WorkflowId::new(),
            name: self.name,
            description: self.description,
            version: self.version,
            tags: self.tags,
            is_active: self.is_active,
            template_id: self.template_id,
            facts: self.facts,
            definition: self.definition,
            created_by: principal.user.clone(),
            limit: principal.standing.limits().workflows,
        }
    }

    /// As what a workflow is to become.
    pub(crate) fn into_change(self) -> WorkflowChange {
        WorkflowChange {
            name: self.name,
            description: self.description,
            version: self.version,
            tags: self.tags,
            is_active: self.is_active,
            template_id: self.template_id,
            definition: self.definition,
            facts: self.facts,
        }
    }
}

/// A stored workflow as the body that would create it, its definition as the text that was sent.
///
/// # Errors
/// When what is stored is not what was stored: a defect.
pub(crate) fn document_of(workflow: &Workflow) -> Result<Document, Error> {
    let about = json!({
        "name": workflow.name,
        "description": workflow.description,
        "version": workflow.version,
        "isActive": workflow.is_active,
        "templateId": workflow.template_id,
    })
    .to_string();
    let (about, definition) = (about.strip_suffix('}'), workflow.definition.strip_prefix('{'));
    let body = format!(
        r#"{},"tags":{},{}"#,
        about.unwrap_or_default(),
        workflow.tags,
        definition.unwrap_or_default()
    );
    Document::parse(body.as_bytes())
}

/// The lane that the settings name. One of another type is among the compiler's problems.
fn lane_of(document: &Document) -> &str {
    let settings = document.values.get("settings");
    settings
        .and_then(|settings| settings.get("lane")?.as_str())
        .unwrap_or(DEFAULT_LANE)
}

/// The definition as it is stored. Texts are put together, not values: what was sent is given back byte for byte.
fn definition_of(document: &Document) -> String {
    format!(
        r#"{{"nodes":{},"edges":{},"variables":{},"settings":{}}}"#,
        document.text("nodes", "[]"),
        document.text("edges", "[]"),
        document.text("variables", "{}"),
        document.text("settings", "{}"),
    )
}
