//! A process of Gristmill.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
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
    pub(crate) fn start(
        name: &str,
        directory: &std::path::Path,
        arguments: &[&str],
        settings: &Settings,
    ) -> Self {
        let (output, log) = (
            directory.join(format!("{name}.stdout")),
            directory.join(format!("{name}.stderr")),
        );
        let child = Command::new(binary::gristmill())
            .args(arguments)
            .env_clear()
            .envs(settings.environment())
            .env("RUST_BACKTRACE", "1")
            .current_dir(directory)
            .stdout(File::create(&output).expect("no file for stdout"))
            .stderr(File::create(&log).expect("no file for stderr"))
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
    /// The first line with this message; what is no whole line of JSON is left out.
    pub(crate) fn find(&self, message: &str) -> Option<Value> {
        let file = File::open(&self.0).expect("no stderr");
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|line| line["message"] == message)
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
