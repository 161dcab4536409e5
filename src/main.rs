//! Parse, dispatch, print the error, exit code: nothing else.

use std::process::ExitCode;

use clap::Parser;
use mnistctl::cli::Cli;
use mnistctl::commands;
use mnistctl::terminal::note;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli.command) {
        Ok(status) => status.into(),
        // Whoever closed the pipe has read enough.
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
