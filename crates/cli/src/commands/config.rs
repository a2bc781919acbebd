//! `gristmill config`

use std::io::Write;

use super::Context;
use crate::error::Error;

/// Print the configuration in force, and where each value came from.
///
/// The output is TOML; passwords are masked. Use it to see what a file, a profile or a variable really did.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill config
  GRISTMILL_PROFILE=production gristmill config | grep -v default.toml
  gristmill config > gristmill.toml      a file to start from, for --config")]
pub struct Args {}

impl Args {
    pub fn run(self, context: Context) -> Result<(), Error> {
        std::io::stdout()
            .write_all(context.loaded.show().as_bytes())
            .map_err(|source| Error::Pipe("cannot write the configuration", source))
    }
}
