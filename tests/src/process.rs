//! A process of Gristmill.

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
        let child = &mut self.child;
        eventually(&what, async || {
            child.try_wait().expect("the process cannot be waited for")
        })
        .await
    }

    /// Waits until it has been killed, by a failpoint for example.
    ///
    /// # Panics
    /// When it ends in another way.
    pub async fn was_killed(&mut self) {
        let status = self.ended().await;
        assert_eq!(status.signal(), Some(9), "{} was not killed: {status}", self.name);
    }

    /// Waits until it stands still, at a failpoint for example.
    pub async fn was_stopped(&self) {
        eventually(&format!("{} stands still", self.name), async || {
            (self.status("State")?.starts_with('T')).then_some(())
        })
        .await;
    }

    /// The most memory that it has had so far, in bytes.
    ///
    /// # Panics
    /// When it has ended.
    pub fn peak_memory(&self) -> u64 {
        let line = self.status("VmHWM").expect("the process has ended");
        let kib: u64 = line
            .trim_end_matches(" kB")
            .parse()
            .expect("VmHWM is no number of kB");
        kib * 1024
    }

    /// Sets a limit of the running process, as `prlimit` names it.
    ///
    /// # Panics
    /// When that does not work.
    pub fn limit(&self, limit: &str) {
        let set = Command::new("prlimit")
            .args([&format!("--pid={}", self.child.id()), limit])
            .status()
            .expect("there is no `prlimit`");
        assert!(set.success(), "prlimit {limit}: {set}");
    }

    /// How many files it has open.
    pub fn open_files(&self) -> usize {
        let listed = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        listed.expect("the process has ended").count()
    }

    /// A line of its `/proc/PID/status`; `None` when it has ended.
    fn status(&self, name: &str) -> Option<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
        let (_, value) = lines.find(|(found, _)| *found == name)?;
        Some(value.trim().to_owned())
    }

    /// Whether it has logged a line with this message.
    pub fn has_logged(&self, message: &str) -> bool {
        self.log_lines().iter().any(|line| line["message"] == message)
    }

    /// How many lines with this message it has logged.
    pub fn times_logged(&self, message: &str) -> usize {
        let lines = self.log_lines();
        lines.iter().filter(|line| line["message"] == message).count()
    }

    /// The timestamps of its log lines, in order.
    pub fn log_times(&self) -> Vec<Value> {
        let lines = self.log_lines().into_iter();
        lines.map(|mut line| line["timestamp"].take()).collect()
    }

    /// Everything that it has logged, for what is no line of JSON.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("no stderr")
    }

    /// Waits for a log line with this message, and returns it.
    ///
    /// # Panics
    /// When the process ends without it.
    pub async fn logged(&mut self, message: &str) -> Value {
        eventually(&format!("{} logs \"{message}\"", self.name), async || {
            let found = self
                .log_lines()
                .into_iter()
                .find(|line| line["message"] == message);
            if found.is_none() {
                let ended = self.child.try_wait().expect("the process cannot be waited for");
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

    /// What it has logged so far; what is no whole line of JSON is left out.
    fn log_lines(&self) -> Vec<Value> {
        let file = File::open(&self.log).expect("no stderr");
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
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
