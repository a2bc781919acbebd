//! Error: what can be wrong with the configuration. Every message names the key, and where its value came from.

use std::path::PathBuf;

/// A configuration that Gristmill does not start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `--config` names a file that cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A layer is not TOML.
    #[error("{origin} cannot be read")]
    Syntax {
        /// Which layer.
        origin: String,
        /// Where and why.
        #[source]
        source: Box<config::ConfigError>,
    },
    /// No profile of that name.
    #[error("there is no profile `{0}`; the profiles are `default` and `production`")]
    Profile(String),
    /// A key that Gristmill does not have.
    #[error("unknown key `{key}` ({origin}); {known}")]
    UnknownKey {
        /// The key as given.
        key: String,
        /// Where it was given.
        origin: String,
        /// Which keys there are near it.
        known: String,
    },
    /// A value of the wrong type.
    #[error("a configured value has the wrong type")]
    Type(#[source] Box<config::ConfigError>),
    /// A value of the right type that makes no sense.
    #[error("bad value for `{key}` ({origin}): {message}")]
    Value {
        /// The key.
        key: &'static str,
        /// Where its value came from.
        origin: String,
        /// What would be right.
        message: String,
    },
}
