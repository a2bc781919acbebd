//! `subWorkflow`: runs another workflow as a child execution, on its newest revision, and waits for its end. `workflowId`
//! names it, `input` is the child's input (`{}` when absent); the child's output is the node's output.

use gristmill_core::WorkflowId;
use serde_json::{Map, Value};

use crate::{Child, Compiled, Fields, Kind, NodeFailure, Scope, Template, Text};

pub(crate) struct SubWorkflow;

struct Start {
    workflow_id: Text,
    input: Option<Template>,
}

impl Kind for SubWorkflow {
    fn name(&self) -> &'static str {
        "subWorkflow"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let workflow_id = fields.required_text("workflowId");
        if let Some(Err(message)) = workflow_id.as_ref().and_then(Text::fixed).map(|id| parse(&id)) {
            fields.problem("workflowId", "invalid_id", message);
        }
        let input = fields.template("input");
        if let Some(Err(message)) = input
            .as_ref()
            .and_then(Template::fixed)
            .map(|input| object(input.clone()))
        {
            fields.problem("input", "wrong_type", message);
        }
        Some(Compiled::child(Start {
            workflow_id: workflow_id?,
            input,
        }))
    }
}

impl Child for Start {
    fn request(&self, scope: &Scope) -> Result<(WorkflowId, Map<String, Value>), NodeFailure> {
        let id = self.workflow_id.render(scope)?;
        let workflow_id = parse(&id).map_err(|message| NodeFailure::last("unknown_workflow", message))?;
        let input = match &self.input {
            None => Map::new(),
            Some(template) => object(template.render(scope)?)
                .map_err(|message| NodeFailure::last("invalid_input", message))?,
        };
        Ok((workflow_id, input))
    }
}

fn parse(text: &str) -> Result<WorkflowId, String> {
    text.trim()
        .parse()
        .map_err(|error| format!("`workflowId` names no workflow: {error}"))
}

fn object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(input) => Ok(input),
        _ => Err("the input of a child is an object".to_owned()),
    }
}
