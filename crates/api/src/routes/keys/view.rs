//! A key as the API shows it.

use chrono::{DateTime, Utc};
use gristmill_core::{ApiKeyId, UserId};
use gristmill_store::KeyRecord;
use serde::Serialize;

/// A key; not its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    id: &'a ApiKeyId,
    user_id: &'a UserId,
    name: &'a str,
    prefix: &'a str,
    /// Empty: whatever its owner may do.
    scopes: Vec<&'static str>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// A key that was just made, with its secret, this once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made<'a> {
    key: View<'a>,
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
