//! View: a key as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::{ApiKeyId, UserId};
use gristmill_store::KeyRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::schema;

/// A key; not its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    #[schema(value_type = schema::ApiKeyId)]
    id: &'a ApiKeyId,
    #[schema(value_type = schema::UserId)]
    user_id: &'a UserId,
    name: &'a str,
    /// What it begins with, to tell keys apart.
    prefix: &'a str,
    /// Empty: whatever its owner may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<&'static str>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
}

/// A key that was just made, with its secret, this once.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyMade)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made<'a> {
    key: View<'a>,
    /// The key itself.
    api_key: &'a str,
}

impl<'a> View<'a> {
    pub(super) fn new(record: &'a KeyRecord) -> Self {
        Self {
            id: &record.id,
            user_id: &record.user_id,
            name: &record.name,
            prefix: &record.prefix,
            scopes: record.scopes.names(),
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            revoked_at: record.revoked_at,
        }
    }
}

impl<'a> Made<'a> {
    pub(super) fn new(record: &'a KeyRecord, secret: &'a str) -> Self {
        Self {
            key: View::new(record),
            api_key: secret,
        }
    }
}
