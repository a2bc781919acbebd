//! Show: what is in force, as TOML that may be shown to anybody.

use std::fmt::{self, Write};

use config::ValueKind;
use url::Url;

use super::Loaded;

/// Keys whose values are URLs that may hold a password.
const URLS: [&str; 2] = ["database.url", "broker.url"];

/// Keys whose values are shown to nobody.
const SECRETS: [&str; 1] = ["auth.secret"];

const MASK: &str = "***";

impl Loaded {
    /// One line for each key, with its origin as a comment.
    pub fn show(&self) -> String {
        let lines: Vec<_> = self
            .values
            .iter()
            .map(|(key, value)| {
                let shown = match &value.kind {
                    ValueKind::String(url) if URLS.contains(&key.as_str()) => format!("{:?}", mask_url(url)),
                    ValueKind::String(source) if key == "auth.jwks" => format!("{:?}", mask_source(source)),
                    ValueKind::String(secret) if SECRETS.contains(&key.as_str()) && !secret.is_empty() => {
                        format!("{MASK:?}")
                    }
                    kind => Toml(kind).to_string(),
                };
                (format!("{key} = {shown}"), value.origin().unwrap_or_default())
            })
            .collect();
        let width = lines
            .iter()
            .map(|(line, _)| line.chars().count())
            .max()
            .unwrap_or_default();
        lines
            .iter()
            .map(|(line, origin)| format!("{line:width$}  # {origin}\n"))
            .collect()
    }
}

/// The URL without its secrets: the password, and all parameters but libpq's harmless ones.
fn mask_url(text: &str) -> String {
    if text.is_empty() || text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return MASK.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    let pairs: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| {
            if name.contains("password") {
                (name, MASK.into())
            } else {
                (name, value)
            }
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !pairs.is_empty() {
        url.set_query(Some(&pairs.join("&")));
    }
    url.to_string()
}

/// A file as it is, or a URL without whatever may be a secret in somebody else's scheme: user, password, and all parameters.
fn mask_source(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return MASK.to_owned();
    };
    let named = !url.username().is_empty() || url.password().is_some();
    if named && (url.set_password(None).is_err() || url.set_username(MASK).is_err()) {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        url.set_query(Some(MASK));
    }
    url.to_string()
}

struct Toml<'a>(&'a ValueKind);

impl fmt::Display for Toml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ValueKind::String(text) => write!(f, "{text:?}"),
            ValueKind::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", Toml(&item.kind))?;
                }
                f.write_char(']')
            }
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn passwords_inside_urls_are_masked() {
        assert_eq!(
            mask_url("postgres://me:secret@host:5432/db"),
            "postgres://me:***@host:5432/db"
        );
        assert_eq!(
            mask_url("postgres://host/db?password=secret&sslmode=require"),
            "postgres://host/db?password=***&sslmode=require"
        );
        assert_eq!(mask_url("amqp://me@host/%2f"), "amqp://me@host/%2f");
        assert_eq!(mask_url("amqp://me:se cret@ho st/"), "***");
        assert_eq!(mask_url(""), "");
        assert_eq!(
            mask_source("https://me:secret@host/keys?token=secret"),
            "https://***@host/keys?***"
        );
        assert_eq!(mask_source("https://host/keys"), "https://host/keys");
        assert_eq!(mask_source("https://secret@ho st/"), "***");
        assert_eq!(mask_source("keys/set.json"), "keys/set.json");
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        let shown = load(&Sources::default()).unwrap().show();
        let path = std::env::temp_dir().join(format!("gristmill-show-{}.toml", std::process::id()));
        std::fs::write(&path, &shown).unwrap();
        let again = load(&Sources {
            file: Some(path.clone()),
            ..Sources::default()
        })
        .unwrap()
        .show();
        std::fs::remove_file(path).unwrap();
        let values = |text: &str| {
            text.lines()
                .map(|line| line.split("  #").next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            values(&shown).iter().map(|v| v.trim()).collect::<Vec<_>>(),
            values(&again).iter().map(|v| v.trim()).collect::<Vec<_>>()
        );
    }
}
