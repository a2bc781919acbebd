//! Progress: a progress bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio_util::task::AbortOnDropHandle;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How far something is. Clones count together.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    failed: Arc<AtomicU64>,
    _lines: Option<Arc<AbortOnDropHandle<()>>>,
}

impl Progress {
    /// Starts showing progress on stderr; `total` is unknown for a stream.
    pub fn start(progress: &MultiProgress, total: Option<u64>) -> Self {
        let bar = progress.add(total.map_or_else(ProgressBar::no_length, ProgressBar::new));
        let template = match total {
            Some(_) => "{bar:40} {human_pos}/{human_len} executions  {per_sec}  {elapsed}{msg}",
            None => "{spinner} {human_pos} executions  {per_sec}  {elapsed}{msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("██░"));
        }
        let lines = (!std::io::stderr().is_terminal()).then(|| {
            let bar = bar.clone();
            Arc::new(AbortOnDropHandle::new(tokio::spawn(print_lines(bar))))
        });
        Self {
            bar,
            failed: Arc::default(),
            _lines: lines,
        }
    }

    /// One more has ended.
    pub fn ended(&self, well: bool) {
        if !well {
            let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!("  {failed} failed"));
        }
        self.bar.inc(1);
    }

    /// How many have failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints a line to stderr, above the bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| write_line(text));
    }
}

async fn print_lines(bar: ProgressBar) {
    let mut tick = tokio::time::interval(LINE_EVERY);
    tick.tick().await;
    while !bar.is_finished() {
        tick.tick().await;
        let total = bar.length().map(|total| format!("/{total}")).unwrap_or_default();
        write_line(&format!("{}{total} executions{}", bar.position(), bar.message()));
    }
}

fn write_line(text: &str) {
    // Without stderr there is nobody to show progress to.
    writeln!(std::io::stderr().lock(), "{text}").ok();
}
