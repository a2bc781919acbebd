//! What a workflow's creation may hold, and every problem with it.

use gristmill_core::Problem;
use gristmill_engine::{Registry, compile_json};
use gristmill_store::Facts;

use crate::extract::Document;
use crate::routes::fields::Fields;

/// A workflow that may be stored.
pub(crate) struct Submission {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) version: String,
    /// A JSON array of strings.
    pub(crate) tags: String,
    pub(crate) is_active: bool,
    pub(crate) facts: Facts,
    /// `nodes`, `edges`, `variables` and `settings` in one object, each as the text that it was sent as.
    pub(crate) definition: String,
}

const KEYS: [&str; 9] = [
    "name",
    "description",
    "version",
    "tags",
    "isActive",
    "nodes",
    "edges",
    "variables",
    "settings",
];

/// Lengths, in characters.
const NAME: (usize, usize) = (3, 100);
const DESCRIPTION: (usize, usize) = (0, 1_000);
const VERSION: (usize, usize) = (1, 50);

/// The lane of a workflow that names none.
const DEFAULT_LANE: &str = "default";

impl Submission {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// Every problem at once: of the fields, and of the definition.
    pub(crate) fn read(
        document: &Document,
        registry: &Registry,
        lanes: &[String],
    ) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::of(document);
        fields.refuse_unknown(&KEYS);
        let name = fields.text("name", NAME);
        if name.is_none() && fields.value("name").is_none() {
            fields.add("name", "missing", "`name` is required".to_owned());
        }
        let description = fields.text("description", DESCRIPTION);
        let version = fields
            .text("version", VERSION)
            .unwrap_or_else(|| "1.0.0".to_owned());
        let tags = fields.tags();
        let is_active = fields.flag("isActive", true);

        let mut problems = fields.problems;
        let lane = lane_of(document);
        if !lanes.iter().any(|known| known == lane) {
            let message = format!("unknown lane `{lane}`; the lanes are {}", lanes.join(", "));
            problems.push(Problem::new("$.settings.lane", "unknown_lane", message));
        }
        let facts = match compile_json(&document.values, registry) {
            Ok((definition, plan)) => Some(Facts {
                checks_input: plan.checks_input(),
                ..Facts::from(&definition.settings)
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
                facts,
                definition: stored(document),
            }),
            _ => Err(problems),
        }
    }
}

/// The lane that the settings name. One of another type is among the compiler's problems.
fn lane_of(document: &Document) -> &str {
    let settings = document.values.get("settings");
    settings
        .and_then(|settings| settings.get("lane")?.as_str())
        .unwrap_or(DEFAULT_LANE)
}

/// The definition as it is stored. Texts are put together, not values: what was sent is given back byte for byte.
fn stored(document: &Document) -> String {
    format!(
        r#"{{"nodes":{},"edges":{},"variables":{},"settings":{}}}"#,
        document.text("nodes", "[]"),
        document.text("edges", "[]"),
        document.text("variables", "{}"),
        document.text("settings", "{}"),
    )
}
