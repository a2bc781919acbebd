//! Machine: what the figures were measured on.

use serde::Serialize;

/// The machine that the benchmark runs on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// How many processors this process may use.
    cores: usize,
    /// What the processor calls itself.
    cpu: String,
}

/// The version that is measured.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = described
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == "model name")
            .map_or("unknown", |(_, name)| name.trim())
            .to_owned();
        Self { cores, cpu }
    }
}
