//! Definition: the definition in a file, checked as the API checks it.

use std::path::Path;

use gristmill_core::{Problem, UserId, WorkflowId};
use gristmill_engine::{Registry, compile_json};
use gristmill_store::{DefinitionFacts, NewWorkflow};
use serde_json::{Map, Value};

use crate::error::Error;

/// Reads a definition; its problems go to stderr.
///
/// # Errors
/// When the file cannot be read, is no JSON object, or has problems.
pub(super) fn read(path: &Path, registry: &Registry, lanes: &[String]) -> Result<NewWorkflow, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Named {
        what: "definition",
        path: path.to_owned(),
        source,
    })?;
    let file = path.display().to_string();
    let document: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Error::Usage(format!("{file} is no JSON object: {error}")))?;
    let mut problems = Vec::new();
    let compiled = match compile_json(&document, registry) {
        Ok((definition, plan)) => {
            let facts = DefinitionFacts {
                checks_input: plan.checks_input(),
                ..DefinitionFacts::from(&definition.settings)
            };
            if !lanes.contains(&facts.lane) {
                let message = format!(
                    "unknown lane `{}`; the lanes are {}",
                    facts.lane,
                    lanes.join(", ")
                );
                problems.push(Problem::new("$.settings.lane", "unknown_lane", message));
            }
            Some(facts)
        }
        Err(found) => {
            problems = found;
            None
        }
    };
    let Some(facts) = compiled.filter(|_| problems.is_empty()) else {
        for problem in &problems {
            eprintln!("{problem}");
        }
        return Err(Error::Definition {
            file,
            count: problems.len(),
        });
    };
    Ok(NewWorkflow {
        id: WorkflowId::new(),
        name: document
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("run")
            .to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        facts,
        definition: text,
        // Replaced by the owner of the database that is about to be made.
        template_id: None,
        created_by: UserId::new(),
        limit: None,
    })
}
