//! Process: one of Gristmill's.

mod vitals;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use serde_json::Value;

use crate::binary;
use crate::settings::Settings;
use crate::wait::eventually;

/// A running `gristmill`, killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
    log: PathBuf,
}

/// What a process has logged, for as long as its files are there.
#[derive(Clone)]
pub(crate) struct Log(PathBuf);

/// What a process can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ends it at once; nothing of its own runs any more.
    Kill,
    /// Freezes it.
    Stop,
    /// Thaws it.
    Cont,
    /// Asks it to finish and end.
    Term,
    /// PostgreSQL's immediate shutdown.
    Quit,
}

/// How many of the last lines of a log are shown when a test fails.
const TAIL: usize = 40;

impl Process {
    /// Starts the binary with these arguments and, of all variables, only those that say these settings.
    pub(crate) fn start(name: &str, directory: &Path, arguments: &[&str], settings: &Settings) -> Self {
        let log = directory.join(format!("{name}.stderr"));
        File::create(&log).expect("no file for stderr");
        Self::start_logging_to(log, name, directory, arguments, settings)
    }

    /// The same with another place for what it logs, which exists.
    pub(crate) fn start_logging_to(
        log: PathBuf,
        name: &str,
        directory: &Path,
        arguments: &[&str],
        settings: &Settings,
    ) -> Self {
        let output = directory.join(format!("{name}.stdout"));
        let stderr = File::options().append(true).open(&log);
        let child = Command::new(binary::gristmill())
            .args(arguments)
            .env_clear()
            .envs(settings.environment())
            .env("RUST_BACKTRACE", "1")
            .current_dir(directory)
            .stdout(File::create(&output).expect("no file for stdout"))
            .stderr(stderr.expect("the log cannot be written to"))
            .spawn()
            .expect("the binary cannot be started");
        Self {
            name: name.to_owned(),
            child,
            output,
            log,
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process has ended already.
    pub fn signal(&self, signal: Signal) {
        // Not reaped before `self` is dropped or has seen its end, so the pid is still this process's.
        send(signal, self.child.id());
    }

    /// Kills it, as the kernel does when memory is short, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process cannot be killed");
        self.child.wait().expect("the process cannot be waited for");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        eventually(&what, async || self.has_ended()).await
    }

    /// Waits until it has been killed, by a failpoint for example.
    ///
    /// # Panics
    /// When it ends in another way.
    pub async fn was_killed(&mut self) {
        let status = self.ended().await;
        assert_eq!(status.signal(), Some(9), "{} was not killed: {status}", self.name);
    }

    /// Whether it has logged a line with this message.
    pub fn has_logged(&self, message: &str) -> bool {
        self.log().find(message).is_some()
    }

    /// How many lines with this message it has logged.
    pub fn times_logged(&self, message: &str) -> usize {
        let lines = self.log().lines();
        lines.filter(|line| line["message"] == message).count()
    }

    /// The timestamps of its log lines, in order.
    pub fn log_times(&self) -> Vec<Value> {
        let lines = self.log().lines();
        lines.map(|mut line| line["timestamp"].take()).collect()
    }

    /// Everything that it has written to stderr, for what is no line of JSON.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).expect("no stderr")
    }

    /// Waits for a log line with this message, and returns it.
    ///
    /// # Panics
    /// When the process ends without it.
    pub async fn logged(&mut self, message: &str) -> Value {
        eventually(&format!("{} logs \"{message}\"", self.name), async || {
            let found = self.log().find(message);
            if found.is_none() {
                let ended = self.has_ended();
                assert!(
                    ended.is_none(),
                    "{} ended before it logged \"{message}\": {ended:?}",
                    self.name
                );
            }
            found
        })
        .await
    }

    /// What it has written to stdout so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).expect("no stdout")
    }

    /// What it logs.
    pub(crate) fn log(&self) -> Log {
        Log(self.log.clone())
    }

    /// Whether it has ended, and how.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process cannot be waited for")
    }

    fn print_tail(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        println!("--- {}: the last of {}", self.name, self.log.display());
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            println!("{line}");
        }
    }
}

impl Log {
    /// The first line with this message.
    pub(crate) fn find(&self, message: &str) -> Option<Value> {
        self.lines().find(|line| line["message"] == message)
    }

    /// All lines so far; what is no whole line of JSON is left out.
    fn lines(&self) -> impl Iterator<Item = Value> + use<> {
        let file = File::open(&self.0).expect("no stderr");
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines.filter_map(|line| serde_json::from_str(&line).ok())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only when the process has ended, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            self.print_tail();
        }
    }
}

/// Sends a signal to a process that is known to be the caller's own.
pub(crate) fn send(signal: Signal, pid: u32) {
    let name = match signal {
        Signal::Kill => "-KILL",
        Signal::Stop => "-STOP",
        Signal::Cont => "-CONT",
        Signal::Term => "-TERM",
        Signal::Quit => "-QUIT",
    };
    let sent = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .expect("there is no `kill`");
    assert!(sent.success(), "kill {name} {pid}: {sent}");
}
