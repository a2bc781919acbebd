//! Ids are text: a prefix that says what the id names, then a UUIDv7 as 32 hex digits, so that ids sort by the time
//! they were made and a stray one in a log line explains itself.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The longest id that is accepted from outside, in bytes.
const MAX_LEN: usize = 100;

/// A text that is no id of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected `{prefix}` followed by letters and digits")]
pub struct ParseIdError {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What every id of this type begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in order than all that were made in earlier milliseconds.
            #[allow(clippy::new_without_default, reason = "an id is made on purpose, never by default")]
            pub fn new() -> Self {
                Self(format!(concat!($prefix, "{}"), Uuid::now_v7().simple()).into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let well_formed = text.len() <= MAX_LEN
                    && text.strip_prefix($prefix).is_some_and(|rest| {
                        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    });
                if well_formed { Ok(Self(text.into())) } else { Err(ParseIdError { prefix: $prefix }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// The tenant: every row belongs to exactly one organization.
    OrganizationId, "org_"
);
id!(
    /// A person, or a service, that belongs to organizations.
    UserId, "user_"
);
id!(
    /// An API key; the id is public, the key itself is stored as a hash only.
    ApiKeyId, "key_"
);
id!(
    /// A stored workflow; its definitions are its revisions 1, 2, ….
    WorkflowId, "wf_"
);
id!(
    /// A workflow to begin with, from the catalogue or published by an organization.
    TemplateId, "tpl_"
);
id!(
    /// One run of one revision with one input.
    ExecutionId, "wf_exec_"
);
id!(
    /// One entry of the audit log.
    AuditEntryId, "audit_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json() {
        let id = ExecutionId::new();
        assert_eq!(id.as_str().parse::<ExecutionId>().unwrap(), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ExecutionId>(&json).unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "wf_",
            "wf_exec_1",
            "org_1",
            "wf_a b",
            "wf_é",
            &format!("wf_{}", "a".repeat(98)),
        ] {
            assert!(text.parse::<WorkflowId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn ids_sort_by_age() {
        let mut ids: Vec<_> = (0..100).map(|_| WorkflowId::new()).collect();
        let made = ids.clone();
        ids.sort();
        assert_eq!(ids, made);
    }
}
