//! Meter: what a stretch of work cost, by process.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::process::{listener, memory, seconds, seconds_of_tree};
use crate::round::round;

/// Processor seconds by process.
pub type ByProcess = BTreeMap<&'static str, f64>;

/// Processes, and where their processor times stood when measuring began.
pub struct Meter {
    measured: Vec<Measured>,
}

struct Measured {
    name: &'static str,
    pid: u32,
    /// Whether the time of its descendants is counted, too.
    tree: bool,
    began: f64,
}

/// The most memory of one process, in MiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Peak {
    /// All that it had in RAM, its own code and files included.
    peak: f64,
    /// What was its own, looked at ten times a second.
    anonymous: f64,
}

impl Meter {
    /// Of this process, of `others`, and of the servers behind the URLs, as far as they run on this machine and this user
    /// may look at them.
    pub fn start(others: &[(&'static str, u32)], servers: &[(&'static str, &str)]) -> Self {
        let own = [("bench", std::process::id())];
        let single = own.iter().chain(others).map(|(name, pid)| (*name, *pid, false));
        let servers = servers
            .iter()
            .filter_map(|(name, url)| Some((*name, server(url)?, true)));
        let measured = single.chain(servers).filter_map(|(name, pid, tree)| {
            let began = time(pid, tree)?;
            Some(Measured {
                name,
                pid,
                tree,
                began,
            })
        });
        Self {
            measured: measured.collect(),
        }
    }

    /// Processor seconds since the start, for each thousand of `executions`.
    pub fn per_thousand(&self, executions: u64) -> ByProcess {
        self.spent(executions as f64 / 1_000.0)
    }

    /// Processor seconds since the start, which was `time` ago, for each minute of it.
    pub fn per_minute(&self, time: Duration) -> ByProcess {
        self.spent(time.as_secs_f64() / 60.0)
    }

    fn spent(&self, parts: f64) -> ByProcess {
        self.measured
            .iter()
            .filter_map(|measured| {
                let spent = time(measured.pid, measured.tree)? - measured.began;
                Some((measured.name, round(spent / parts)))
            })
            .collect()
    }
}

fn time(pid: u32, tree: bool) -> Option<f64> {
    if tree { seconds_of_tree(pid) } else { seconds(pid) }
}

/// The process that listens where the URL points to, if that is this machine.
fn server(url: &str) -> Option<u32> {
    let url = Url::parse(url).ok()?;
    let local = match url.host()? {
        url::Host::Domain(name) => name == "localhost" || name.starts_with("127."),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    let port = url.port().or(match url.scheme() {
        "amqp" => Some(5_672),
        "amqps" => Some(5_671),
        _ => Some(5_432),
    })?;
    local.then(|| listener(port)).flatten()
}

/// Watches the memory of processes.
pub struct MemoryMeter {
    watching: AbortOnDropHandle<()>,
    seen: tokio::sync::watch::Receiver<BTreeMap<&'static str, Peak>>,
}

const LOOK_EVERY: Duration = Duration::from_millis(100);

impl MemoryMeter {
    /// Looks at these processes from now on.
    pub fn start(processes: &[(&'static str, u32)]) -> Self {
        let processes = processes.to_vec();
        let (peaks, seen) = tokio::sync::watch::channel(BTreeMap::new());
        let watching = tokio::spawn(async move {
            let mut tick = tokio::time::interval(LOOK_EVERY);
            loop {
                tick.tick().await;
                peaks.send_modify(|peaks| note(peaks, &processes));
            }
        });
        Self {
            watching: AbortOnDropHandle::new(watching),
            seen,
        }
    }

    /// The highest so far.
    pub fn finish(self) -> BTreeMap<&'static str, Peak> {
        drop(self.watching);
        self.seen.borrow().clone()
    }
}

fn note(peaks: &mut BTreeMap<&'static str, Peak>, processes: &[(&'static str, u32)]) {
    for (name, pid) in processes {
        let Some(memory) = memory(*pid) else { continue };
        let mib = |kib: u64| round(kib as f64 / 1_024.0);
        let now = Peak {
            peak: mib(memory.peak),
            anonymous: mib(memory.anonymous),
        };
        let peak = peaks.entry(name).or_insert(now);
        peak.peak = peak.peak.max(now.peak);
        peak.anonymous = peak.anonymous.max(now.anonymous);
    }
}
