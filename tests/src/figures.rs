//! Figures: those of a benchmark that is run on the servers that the tests use.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::binary;
use crate::wait::PATIENCE;

/// What a benchmark left behind.
pub struct Figures {
    /// The one line that it printed.
    pub report: Value,
    /// The process that it was.
    pub pid: u32,
}

/// Runs a benchmark, a command of `program`, to its end.
///
/// # Panics
/// When it fails, or prints anything else than one line of JSON.
pub async fn figures(program: &Path, arguments: &[&str]) -> Figures {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", variable("DATABASE_URL"))
        .env("AMQP_URL", variable("AMQP_URL"))
        .env("GRISTMILL_BIN", binary::gristmill())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary cannot be started");
    let pid = child.id().expect("it has just been started");
    let done = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let done = done
        .expect("the benchmark does not end")
        .expect("its output cannot be read");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{}: {stdout}{stderr}", done.status);
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    Figures {
        report: serde_json::from_str(&stdout).expect("not JSON"),
        pid,
    }
}
