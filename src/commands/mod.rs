//! One short file a subcommand: wiring, no logic.

mod compare;
mod completions;
mod data;
mod eval;
mod predict;
mod recipes;
mod report;
mod train;

use std::io::{ErrorKind, Write, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use thiserror::Error;

use crate::engine::EngineError;
use crate::cli::Command;
use crate::comparison::ComparisonError;
use crate::dataset::DatasetError;
use crate::evaluation::NotANumber;
use crate::interrupt;
use crate::recipe::RecipeError;
use crate::report::ReportError;
use crate::training::files::{BusyError, FileError};
use crate::training::{CheckpointError, RecipePlanError, RunError, RunFolderError, plan};

/// How a command that printed all it had to say ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Done,
    /// Some of the work failed and said so; the rest was done.
    PartlyFailed,
    /// A signal asked it to stop, and it saved its work first.
    Interrupted,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Done => ExitCode::SUCCESS,
            Status::PartlyFailed => ExitCode::FAILURE,
            Status::Interrupted => ExitCode::from(interrupt::exit_code()),
        }
    }
}

/// Whatever ended a command, in one message.
#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Plan(#[from] RecipePlanError),
    #[error(transparent)]
    Comparison(#[from] ComparisonError),
    #[error("can't write the table as CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    RunFolder(#[from] RunFolderError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    NotANumber(#[from] NotANumber),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Busy(#[from] BusyError),
    #[error("can't find this program's own file, which trains the runs: {0}")]
    OwnPath(std::io::Error),
    #[error("can't write to standard output: {0}")]
    Output(std::io::Error),
    #[error("{0}")]
    Usage(String),
    #[error("a bug in mnistctl, please report it: {0}")]
    Bug(String),
}

impl Error {
    /// Whether the reader of our standard output has gone away, as `head` does.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// Runs a subcommand. A panic, which would be a bug of ours or of a library, comes back as an
/// error too: no user should have to read a backtrace.
pub fn run(command: Command) -> Result<Status, Error> {
    std::panic::set_hook(Box::new(|_| {}));
    interrupt::listen();
    let result = catch_unwind(AssertUnwindSafe(|| match command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Recipes { name } => recipes::run(name.as_deref()),
        Command::Completions { shell } => completions::run(shell),
    }));
    let result = result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::Bug(text.unwrap_or("it left no message").to_string()))
    });
    match result {
        Err(
            Error::Dataset(DatasetError::Interrupted)
            | Error::Run(RunError::Dataset(DatasetError::Interrupted)),
        ) => Ok(Status::Interrupted),
        result => result,
    }
}

/// `word` as a shell takes it.
fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Writes a result to standard output.
fn print(text: &str) -> Result<(), Error> {
    let mut stdout = stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}
