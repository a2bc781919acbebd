//! Key: API keys, as they are asked for.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// A new API key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "name": "order service",
    "scopes": ["ai-hub:workflows:execute"],
    "expiresAt": "2030-01-31T12:00:00Z"
}))]
pub(crate) struct CreateKeyRequest {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The permissions that it is narrowed to; none = as with the key that asks.
    #[schema(max_items = 20)]
    scopes: Option<Vec<String>>,
    /// When it ends; absent = when the key that asks does.
    expires_at: Option<DateTime<Utc>>,
}
