//! Connection: which API a command calls, with which key, and how it prints the answers.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gristmill_client::{Client, Retry};
use gristmill_server::KEY_FILE;
use serde_json::{Map, Value};

use super::{Flag, given};
use crate::config::Config;
use crate::error::Error;
use crate::printable::lines;

/// Flags that all commands have which call the API.
#[derive(Debug, clap::Args)]
pub struct Connection {
    /// The API's URL, such as https://mill.example.
    #[arg(long, global = true, value_name = "URL", env = "GRISTMILL_URL")]
    url: Option<String>,
    /// The API key.
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "GRISTMILL_API_KEY",
        hide_env_values = true
    )]
    api_key: Option<String>,
    /// Where `gristmill dev` keeps its API key [default: .gristmill].
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print the API's answer as JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

impl Connection {
    pub fn flags(&self) -> Vec<Flag> {
        given([(
            "--data-dir",
            "data_dir",
            self.data_dir.as_ref().map(|path| path.display().to_string()),
        )])
    }

    /// A client of the API at the URL, or else of the one that is configured, with the key, or else the one that
    /// `gristmill dev` keeps.
    ///
    /// # Errors
    /// When there is no key, or the URL is none.
    pub fn client(&self, config: &Config) -> Result<Client, Error> {
        let configured = || format!("http://{}", reachable(config.api.listen));
        let url = self.url.clone().unwrap_or_else(configured);
        let key = match &self.api_key {
            Some(key) => key.clone(),
            None => kept_key(config)?,
        };
        let retry = Retry {
            give_up_unreachable_after: UNREACHABLE,
            ..Retry::default()
        };
        Ok(Client::new(&url, &key)?.with_retry(retry).on_retry(tell_retry))
    }

    /// Whether answers are for programs.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints an answer: as it is, for programs, or as `tell` words it for people.
    ///
    /// # Errors
    /// When nobody reads it.
    pub fn print(&self, answer: &Value, tell: impl FnOnce(&Value) -> String) -> Result<(), Error> {
        let text = if self.json {
            format!("{answer}\n")
        } else {
            lines(&tell(answer)).into_owned()
        };
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(|source| Error::Pipe("cannot write the answer", source))
    }
}

/// How long a command looks for an API that takes no connection: whoever waits for it wants to know.
const UNREACHABLE: Duration = Duration::from_secs(3);

/// Silence would look like a command that hangs.
fn tell_retry(error: &gristmill_client::Error, left: Duration) {
    let left = left.as_secs().max(1);
    // Without stderr there is nobody to tell.
    writeln!(
        std::io::stderr().lock(),
        "{error}; trying again for up to {left} s (Ctrl-C stops it)"
    )
    .ok();
}

/// Where a client finds what listens everywhere.
fn reachable(mut listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() {
        listens.set_ip(match listens {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listens
}

fn kept_key(config: &Config) -> Result<String, Error> {
    let path = config.data_dir.join(KEY_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::Usage(format!(
            "there is no API key: give --api-key, set GRISTMILL_API_KEY, or name with --data-dir the directory of a \
             `gristmill dev`; there is none in {}",
            path.display()
        ))),
        Err(source) => Err(Error::File {
            what: "cannot read the API key in",
            path,
            source,
        }),
    }
}

/// Reads a flag whose value is a JSON object.
pub fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))
}
