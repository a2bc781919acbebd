//! Child: a process of Gristmill, with its output in files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::Error;

/// A process that was started; it ends with this value.
pub(super) struct Child {
    command: String,
    process: tokio::process::Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// Set in this process's environment for services that are not the benchmark's own.
const OTHERS: [&str; 2] = ["GRISTMILL__DATABASE__URL", "GRISTMILL__BROKER__URL"];

/// How long a process may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks at a log.
const PAUSE: Duration = Duration::from_millis(20);

/// How many of the last lines of a log an error shows.
const SHOWN: usize = 20;

impl Child {
    pub(super) fn start(
        binary: &Path,
        directory: &Path,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let command = arguments.join(" ");
        let file = |ending: &str| directory.join(format!("{}.{ending}", arguments.concat()));
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let mut process = Command::new(binary);
        for variable in OTHERS {
            process.env_remove(variable);
        }
        let process = process
            .args(arguments)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).map_err(Error::Directory)?)
            .stderr(File::create(&stderr).map_err(Error::Directory)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| Error::Start {
                binary: binary.to_owned(),
                source,
            })?;
        Ok(Self {
            command,
            process,
            stdout,
            stderr,
        })
    }

    /// `None` once it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for its end and answers with what it printed.
    pub(super) async fn output(mut self) -> Result<String, Error> {
        let ended = self.process.wait().await;
        if !ended.is_ok_and(|status| status.success()) {
            return Err(self.failed("failed"));
        }
        std::fs::read_to_string(&self.stdout).map_err(Error::Directory)
    }

    /// Waits for a log line with this message.
    pub(super) async fn logged(&mut self, message: &str) -> Result<Value, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let mut lines = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.find(|line| line["message"] == message) {
                return Ok(line);
            }
            if !matches!(self.process.try_wait(), Ok(None)) {
                return Err(self.failed("ended early"));
            }
            if Instant::now() > deadline {
                return Err(self.failed("is not ready after a minute"));
            }
            sleep(PAUSE).await;
        }
    }

    /// Ends it at once.
    pub(super) async fn kill(mut self) {
        if let Err(error) = self.process.kill().await {
            tracing::debug!(%error, command = self.command, "the process had ended already");
        }
    }

    fn failed(&self, what: &'static str) -> Error {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        Error::Process {
            command: self.command.clone(),
            what,
            log: lines[lines.len().saturating_sub(SHOWN)..].join("\n"),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}
