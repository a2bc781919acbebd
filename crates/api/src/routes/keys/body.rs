//! The body of `POST /keys`: what a key is to be.

use chrono::{DateTime, Utc};
use gristmill_core::access::{Permission, Scopes};
use gristmill_core::{Path, Problem};
use serde_json::Value;

use crate::auth::principal::Principal;
use crate::http::extract::{Document, time};
use crate::routes::fields::Fields;

/// The shortest and the longest name, in characters.
const NAME: (usize, usize) = (1, 100);

/// How many scopes may be named: there are not as many.
const MAX_SCOPES: usize = 20;

/// A request for a key, checked.
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl NewKey {
    /// Reads `{"name", "scopes", "expiresAt"}`. A key can make no key that may do more than itself, or that outlives it:
    /// what is left out is as with the key that asks.
    pub(super) fn read(
        document: &Document,
        principal: &Principal,
        now: DateTime<Utc>,
    ) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::of(document);
        fields.refuse_unknown(&["name", "scopes", "expiresAt"]);
        if fields.value("name").is_none() {
            fields.add("name", "missing", "`name` is missing".to_owned());
        }
        let name = fields.text("name", NAME).unwrap_or_default();
        let scopes = scopes(&mut fields, principal.scopes);
        let expires_at = expiry(&mut fields, principal.expires_at, now);
        if fields.problems.is_empty() {
            Ok(Self {
                name,
                scopes,
                expires_at,
            })
        } else {
            Err(fields.problems)
        }
    }
}

fn scopes(fields: &mut Fields<'_>, own: Scopes) -> Scopes {
    let names = match fields.value("scopes") {
        None => return own,
        Some(Value::Array(names)) => names,
        Some(_) => {
            let message = "`scopes` is an array of permissions".to_owned();
            fields.add("scopes", "wrong_type", message);
            return own;
        }
    };
    if names.is_empty() {
        return own;
    }
    if names.len() > MAX_SCOPES {
        let message = format!(
            "there are {} scopes, and at most {MAX_SCOPES} are allowed",
            names.len()
        );
        fields.add("scopes", "out_of_range", message);
        return own;
    }
    let mut wanted = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = Path::root().key("scopes").index(index);
        match name.as_str().map(str::parse::<Permission>) {
            Some(Ok(permission)) if own.include(permission) => wanted.push(permission),
            Some(Ok(permission)) => {
                let message = format!("`{permission}` is not among the scopes of the key that asks");
                fields.problems.push(Problem::new(path, "not_allowed", message));
            }
            _ => {
                let message = format!(
                    "a scope is one of {}",
                    Permission::ALL.map(Permission::as_str).join(", ")
                );
                fields.problems.push(Problem::new(path, "unknown_value", message));
            }
        }
    }
    Scopes::only(wanted)
}

fn expiry(fields: &mut Fields<'_>, own: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Some(value) = fields.value("expiresAt") else {
        return own;
    };
    let Some(expires_at) = value.as_str().and_then(time) else {
        let message = "`expiresAt` is a time such as \"2030-01-31T12:00:00Z\"".to_owned();
        fields.add("expiresAt", "wrong_type", message);
        return own;
    };
    if expires_at <= now {
        fields.add("expiresAt", "out_of_range", "`expiresAt` is over".to_owned());
    } else if own.is_some_and(|own| expires_at > own) {
        let message = "`expiresAt` is later than the end of the key that asks".to_owned();
        fields.add("expiresAt", "not_allowed", message);
    }
    Some(expires_at)
}
