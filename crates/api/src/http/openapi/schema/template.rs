//! Templates: what is said when one is published, and when a workflow is made from one.

use serde_json::Value;
use utoipa::ToSchema;

/// What the workflow is to have otherwise than the template. No body is as good as `{}`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "name": "Our support",
    "variables": {"team": "mill"}
}))]
pub(crate) struct InstantiateRequest {
    #[schema(min_length = 3, max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 1000)]
    description: Option<String>,
    #[schema(min_length = 1, max_length = 50)]
    version: Option<String>,
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    #[schema(default = true)]
    is_active: Option<bool>,
    /// Values for the template's variables; those that are not named keep the template's.
    #[schema(value_type = Option<Object>)]
    variables: Option<Value>,
}

/// What the template is to have otherwise than the workflow. No body is as good as `{}`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"category": "support", "isShared": false}))]
pub(crate) struct PublishRequest {
    #[schema(min_length = 3, max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 1000)]
    description: Option<String>,
    #[schema(min_length = 1, max_length = 50, default = "custom")]
    category: Option<String>,
    /// Each has 1 to 50 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Whether other organizations see it.
    #[schema(default = false)]
    is_shared: Option<bool>,
}
