//! `gristmill dev`

use std::net::SocketAddr;
use std::path::PathBuf;

use gristmill_server::{Access, Embedded, KEY_FILE, listen, metrics};

use super::{Context, Flag, given};
use crate::error::Error;

/// Run everything in one process, for your own workflows.
///
/// SQLite, an in-process queue, the API, one worker, and an organization with an API key: nothing to install. What was
/// accepted survives a crash or a kill and is finished after the next start. With DATABASE_URL or AMQP_URL set, that
/// part is PostgreSQL or RabbitMQ instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill dev
  gristmill dev --port 9000 --data-dir /tmp/try
  curl -H \"Authorization: Bearer $(cat .gristmill/api-key)\" http://127.0.0.1:8080/readyz")]
pub struct Args {
    /// The port to listen on, on 127.0.0.1; 0 takes a free one [default: the key api.listen].
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where the database and the API key are kept [default: .gristmill].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

const ADVICE: &str = "Choose another port with --port, or another address with GRISTMILL__API__LISTEN.";

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([
            (
                "--port",
                "api.listen",
                self.port.map(|port| format!("127.0.0.1:{port}")),
            ),
            (
                "--data-dir",
                "data_dir",
                self.data_dir.as_ref().map(|path| path.display().to_string()),
            ),
        ])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context { loaded, shutdown, .. } = context;
        let config = loaded.config;
        let recorder = metrics::install()?;
        let listener = listen(config.api.listen, ADVICE).await?;
        let key_file = config.data_dir.join(KEY_FILE);
        let options = config.options("gristmill");
        let embedded = Embedded::start(options, &config.data_dir, listener, recorder, &shutdown).await?;
        print!("{}", welcome(&embedded.access, &key_file.display().to_string()));
        Ok(embedded.ended().await?)
    }
}

/// What a newcomer needs: where, with what, and a first command to paste.
fn welcome(access: &Access, key_file: &str) -> String {
    let Access { address, key } = access;
    let base = format!("http://{}{}", reachable(*address), gristmill_api::BASE);
    format!(
        r#"Gristmill is running: API, worker, relay and queue in this process. Ctrl-C stops it.

  URL      {base}
  API key  {key}
           kept in {key_file}

Store a workflow and run it:

  KEY=$(cat {key_file})
  ID=$(curl -s {base}/workflows -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \
    -d '{{"name": "Hello", "edges": [{{"id": "e", "source": "start", "target": "greet"}}], "nodes": [
          {{"id": "start", "type": "trigger"}},
          {{"id": "greet", "type": "transform", "data": {{"set": {{"greeting": "Hello, {{{{ name }}}}!"}}}}}}]}}' \
    | grep -o 'wf_[0-9a-f]*' | head -n 1)
  curl -s {base}/workflows/$ID/execute -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \
    -H 'Prefer: wait=10' -d '{{"input": {{"name": "Ada"}}}}'

"#
    )
}

/// An address that listens on all interfaces is called through this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], address.port()))
    } else {
        address
    }
}
