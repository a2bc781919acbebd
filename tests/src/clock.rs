//! Clock: wall clocks that are wrong.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clock/skew.c");

/// The wall clock of a process that is started with [`SkewedClock::settings`]; it may be set while the process runs. The
/// machine's own clock is left alone.
pub struct SkewedClock {
    library: PathBuf,
    file: PathBuf,
}

impl SkewedClock {
    /// A clock that is off by this many seconds; its files are put into `directory`.
    ///
    /// # Panics
    /// When there is no C compiler, `cc`.
    pub fn new(directory: &Path, name: &str, seconds: i64) -> Self {
        let library = directory.join(format!("{name}.so"));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([library.as_path(), Path::new(SOURCE)])
            .output()
            .expect("there is no C compiler `cc`");
        assert!(compiled.status.success(), "{compiled:?}");
        let file = directory.join(format!("{name}.skew"));
        File::create(&file).expect("no file for the clock");
        let clock = Self { library, file };
        clock.set(seconds);
        clock
    }

    /// From now on it is off by this many seconds.
    ///
    /// # Panics
    /// When its file is gone.
    pub fn set(&self, seconds: i64) {
        // In one write and without truncating: the process has the file mapped.
        let mut file = File::options().write(true).open(&self.file).expect("no file");
        file.write_all(&seconds.to_ne_bytes())
            .expect("the clock cannot be set");
    }

    /// What a process that goes by this clock is started with.
    pub fn settings(&self) -> [(&str, &str); 2] {
        [
            ("LD_PRELOAD", self.library.to_str().expect("a path that is text")),
            (
                "CLOCK_SKEW_FILE",
                self.file.to_str().expect("a path that is text"),
            ),
        ]
    }
}
