//! Logs: text or JSON, on stderr, never through the middle of a progress bar.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

/// Starts logging. What is drawn through `progress` makes room for each line.
pub fn init(log: &Log, progress: &MultiProgress) {
    // The filter was parsed when the configuration was checked.
    let filter = EnvFilter::new(&log.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Stderr(progress.clone()))
        // They would be told on stderr, by a macro that panics where stderr cannot be written to: a full disk under the
        // log must not end what the process works on.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// Stderr, with the bars out of the way while a line is written.
struct Stderr(MultiProgress);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a MultiProgress);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
