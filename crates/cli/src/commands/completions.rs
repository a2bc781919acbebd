//! `gristmill completions`

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Cli;
use crate::error::Error;

/// Print what a shell needs to complete commands and flags.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill completions bash > ~/.local/share/bash-completion/completions/gristmill
  gristmill completions zsh > ~/.zfunc/_gristmill
  gristmill completions fish > ~/.config/fish/completions/gristmill.fish")]
pub struct Args {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    pub fn run(self) -> Result<(), Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gristmill", &mut script);
        std::io::stdout()
            .write_all(&script)
            .map_err(|source| Error::Pipe("cannot write the completions", source))
    }
}
