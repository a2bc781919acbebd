//! Vitals: what the kernel knows about a process, and what it grants to it.

use std::process::Command;

use super::Process;
use crate::wait::eventually;

impl Process {
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
}
