//! Services: PostgreSQL and RabbitMQ instances of a test's own, to be killed, frozen and wiped.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::process::{Signal, send};

/// A PostgreSQL server. Dropping it stops the server and deletes its data.
pub struct PostgreSql(Instance);

/// A RabbitMQ server. Dropping it stops the server and deletes its data.
pub struct RabbitMqServer(Instance);

impl PostgreSql {
    /// Starts one under this directory.
    pub fn start(directory: &Path) -> Self {
        Self(Instance::start(directory, "postgres"))
    }

    /// The URL of its one database, which is empty at first.
    pub fn url(&self) -> String {
        self.0.exported("DATABASE_URL")
    }

    /// What `pg_ctl restart -m immediate` does: every session ends where it stands, and the server recovers from its log.
    pub fn restart_immediately(&self) {
        let pid = self.0.pid();
        send(Signal::Quit, pid);
        wait_until_gone(pid);
        self.0.up();
    }

    /// Kills one of the sessions of Gristmill's processes, as the kernel does when memory is short: the server then ends
    /// all of them and recovers. Answers with the session's pid; `None` when there is none.
    pub fn kill_one_session(&self) -> Option<u32> {
        let sessions = children(self.0.pid());
        let session = sessions.into_iter().find(|pid| {
            let title = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // postgres: USER DATABASE ADDRESS(PORT) WHAT
            String::from_utf8_lossy(&title).starts_with("postgres: gristmill gristmill ")
        })?;
        send(Signal::Kill, session);
        wait_until_gone(session);
        Some(session)
    }

    /// Stops the server and all its sessions where they are, until [`PostgreSql::thaw`].
    pub fn freeze(&self) {
        // The postmaster first, or it would start new sessions meanwhile.
        send(Signal::Stop, self.0.pid());
        for session in children(self.0.pid()) {
            send_if_alive(Signal::Stop, session);
        }
    }

    /// Lets the server and its sessions go on.
    pub fn thaw(&self) {
        for session in children(self.0.pid()) {
            send_if_alive(Signal::Cont, session);
        }
        send_if_alive(Signal::Cont, self.0.pid());
    }
}

impl Drop for PostgreSql {
    /// A test that failed in between may have left the sessions frozen; they would not stop.
    fn drop(&mut self) {
        self.thaw();
    }
}

impl RabbitMqServer {
    /// Starts one under this directory.
    pub fn start(directory: &Path) -> Self {
        Self(Instance::start(directory, "rabbitmq"))
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.0.exported("AMQP_URL")
    }

    /// Kills it, as a power cut does.
    pub fn kill(&self) {
        let pid = self.0.pid();
        send(Signal::Kill, pid);
        wait_until_gone(pid);
    }

    /// Stops it where it is, until [`RabbitMqServer::thaw`].
    pub fn freeze(&self) {
        send_if_alive(Signal::Stop, self.0.pid());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        send_if_alive(Signal::Cont, self.0.pid());
    }

    /// Runs `rabbitmqctl`; answers whether it worked.
    pub fn ctl(&self, arguments: &[&str]) -> bool {
        self.0.run("ctl", arguments).status.success()
    }

    /// Stops it in good order.
    pub fn stop(&self) {
        self.0.script("down", &[]);
    }

    /// Starts it again, at the address of before.
    pub fn start_again(&self) {
        self.0.up();
    }

    /// Deletes everything that it keeps. It must not run.
    ///
    /// # Panics
    /// When there is nothing to delete.
    pub fn wipe(&self) {
        let data = self.0.directory.join("data/rabbitmq/data");
        std::fs::remove_dir_all(&data).expect("the broker's data cannot be deleted");
    }
}

impl Drop for RabbitMqServer {
    /// A test that failed in between may have left it frozen.
    fn drop(&mut self) {
        if let Some(pid) = self.0.find_pid() {
            send_if_alive(Signal::Cont, pid);
        }
    }
}

struct Instance {
    directory: PathBuf,
    service: &'static str,
}

impl Instance {
    fn start(directory: &Path, service: &'static str) -> Self {
        let instance = Self {
            directory: directory.join(service),
            service,
        };
        // What a test run that was killed has left behind.
        instance.script("down", &["--wipe"]);
        instance.up();
        instance
    }

    fn up(&self) {
        self.script("up", &["--only", self.service]);
    }

    fn exported(&self, variable: &str) -> String {
        let exports = self.script("env", &["--only", self.service]);
        let exports = String::from_utf8_lossy(&exports.stdout).into_owned();
        let prefix = format!("export {variable}=");
        let url = exports.lines().find_map(|line| line.strip_prefix(&prefix));
        url.unwrap_or_else(|| panic!("no {variable} in {exports}"))
            .to_owned()
    }

    fn pid(&self) -> u32 {
        self.find_pid().expect("the server's pid was not recorded")
    }

    /// `None` while it does not run.
    fn find_pid(&self) -> Option<u32> {
        let path = self.directory.join(format!("{}.pid", self.service));
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    fn script(&self, command: &str, arguments: &[&str]) -> Output {
        let output = self.run(command, arguments);
        assert!(output.status.success(), "scripts/services {command}: {output:?}");
        output
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
        let directory = self.directory.as_os_str();
        Command::new(script)
            .args([OsStr::new(command), OsStr::new("--dir"), directory])
            .args(arguments)
            .output()
            .expect("scripts/services cannot be run")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.script("down", &["--wipe"]);
    }
}

fn children(pid: u32) -> Vec<u32> {
    let listed = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .output()
        .expect("no `ps`");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}

/// A session may end between the look at it and the signal.
pub(crate) fn send_if_alive(signal: Signal, pid: u32) {
    if is_alive(pid) {
        send(signal, pid);
    }
}

/// A process that has ended and was not yet waited for by its parent counts as gone.
fn is_alive(pid: u32) -> bool {
    let listed = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .expect("no `ps`");
    let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn wait_until_gone(pid: u32) {
    for _ in 0..600 {
        if !is_alive(pid) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("process {pid} does not end");
}
