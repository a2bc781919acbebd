//! Process: what the kernel tells about processes, from `/proc`. Elsewhere than on Linux it tells nothing, and the
//! figures are left out.

use std::collections::{HashMap, HashSet};
use std::fs;

use crate::round::round;

/// Ticks per second of the times in `/proc/PID/stat`: the same on every Linux of today.
const TICKS: f64 = 100.0;

/// Memory of one process, in kibibytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// The most that it ever had in RAM, files included.
    pub(crate) peak: u64,
    /// What is its own now, without files.
    pub(crate) anonymous: u64,
}

/// What `/proc/PID/stat` says.
struct Stat {
    parent: u32,
    /// Ticks of its own.
    own: u64,
    /// Ticks of children that have ended and were waited for.
    ended_children: u64,
}

/// Processor seconds of one process, user and system.
pub(crate) fn seconds(pid: u32) -> Option<f64> {
    Some(stat(pid)?.own as f64 / TICKS)
}

/// Processor seconds of a process and all its descendants, those that have ended included.
pub(crate) fn seconds_of_tree(root: u32) -> Option<f64> {
    stat(root)?;
    let all: HashMap<_, _> = pids().filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let belongs = |mut pid: u32| {
        while pid != root {
            match all.get(&pid) {
                Some(stat) => pid = stat.parent,
                None => return false,
            }
        }
        true
    };
    let ticks: u64 = all
        .iter()
        .filter(|(pid, _)| belongs(**pid))
        .map(|(_, stat)| stat.own + stat.ended_children)
        .sum();
    Some(ticks as f64 / TICKS)
}

/// How much memory a process has.
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .ok()
    };
    Some(Memory {
        peak: kib("VmHWM")?,
        anonymous: kib("RssAnon")?,
    })
}

/// By how much this process has grown, at the most, since this was made.
pub struct Growth {
    /// What it had in RAM then, in kibibytes.
    before: Option<u64>,
}

impl Growth {
    /// From here.
    pub fn start() -> Self {
        // Makes the kernel forget the highest value so far.
        let forgets = fs::write("/proc/self/clear_refs", "5").is_ok();
        let now = memory(std::process::id()).map(|memory| memory.peak);
        Self {
            before: now.filter(|_| forgets),
        }
    }

    /// In MiB; `None` where the kernel does not tell.
    pub fn mebibytes(&self) -> Option<f64> {
        let peak = memory(std::process::id())?.peak;
        Some(round(peak.saturating_sub(self.before?) as f64 / 1_024.0))
    }
}

/// The process of this machine that listens on a TCP port, if this user may know.
pub(crate) fn listener(port: u16) -> Option<u32> {
    let sockets: HashSet<_> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            table
                .lines()
                .filter_map(|line| socket(line, port))
                .collect::<Vec<_>>()
        })
        .collect();
    // Children inherit their parent's sockets: the oldest process is the server itself.
    pids().filter(|pid| has_one_of(*pid, &sockets)).min()
}

/// The link of a socket that listens on `port`, from a line of `/proc/net/tcp`.
fn socket(line: &str, port: u16) -> Option<String> {
    const LISTENS: &str = "0A";
    let fields: Vec<_> = line.split_whitespace().collect();
    let local = fields.get(1)?.rsplit_once(':')?.1;
    let listens = *fields.get(3)? == LISTENS && u16::from_str_radix(local, 16) == Ok(port);
    listens.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
}

fn has_one_of(pid: u32, sockets: &HashSet<String>) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| sockets.contains(target)))
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the parenthesis may hold anything, spaces and parentheses included.
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended_children: ticks(13)? + ticks(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_by_its_port_and_has_time_and_memory() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let me = std::process::id();
        assert_eq!(super::listener(port), Some(me));
        assert!(seconds(me).unwrap() <= seconds_of_tree(me).unwrap());
        let memory = memory(me).unwrap();
        assert!(memory.anonymous > 0 && memory.peak >= memory.anonymous);
        let growth = Growth::start();
        let large = vec![1_u8; 8 << 20];
        assert!(growth.mebibytes().is_none_or(|grown| grown >= 7.0));
        drop(large);
    }

    #[test]
    fn nobody_listens_on_a_port_that_was_given_back() {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        assert_eq!(listener(port), None);
    }
}
