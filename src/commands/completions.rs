//! `mnistctl completions`

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Error, Status, print};
use crate::cli::Cli;

pub fn run(shell: Shell) -> Result<Status, Error> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "mnistctl", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Status::Done)
}
