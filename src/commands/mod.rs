//! One short file a subcommand: wiring, no logic.

mod compare;
mod completions;
mod data;
mod eval;
mod export;
mod import;
mod predict;
mod recipes;
mod report;
mod serve;
mod train;

use std::io::{ErrorKind, Write, stdout};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use thiserror::Error;

use crate::cli::Command;
use crate::comparison::ComparisonError;
use crate::dataset::DatasetError;
use crate::engine::EngineError;
use crate::evaluation::NotANumber;
use crate::files::{BusyError, FileError};
use crate::interchange::export::ExportError;
use crate::interchange::import::ImportError;
use crate::interchange::pictures::PicturesError;
use crate::interrupt;
use crate::recipe::RecipeError;
use crate::report::ReportError;
use crate::serve::ServeError;
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
    Export(#[from] ExportError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    #[error(transparent)]
    Serve(#[from] ServeError),
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
    #[error(transparent)]
    Bug(#[from] Bug),
}

/// A panic: a mistake of ours or of a library, and the place in the code that noticed it.
#[derive(Debug, Error)]
#[error("this is a bug in mnistctl ({place}); please report it: {problem}")]
pub struct Bug {
    place: String,
    problem: String,
}

impl Error {
    /// Whether the reader of our standard output has gone away, as `head` does.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// Runs a subcommand. A panic comes back as an error too: no user should have to read a backtrace.
pub fn run(command: Command) -> Result<Status, Error> {
    note_panics();
    interrupt::listen();
    let result = catch_bug(|| match command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Recipes { name } => recipes::run(name.as_deref()),
        Command::Completions { shell } => completions::run(shell),
    })?;
    match result {
        Err(
            Error::Dataset(DatasetError::Interrupted)
            | Error::Run(RunError::Dataset(DatasetError::Interrupted)),
        ) => Ok(Status::Interrupted),
        result => result,
    }
}

/// Where the last panic of any thread was: what `catch_unwind` gives does not tell.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// From now on panics print nothing, and [`catch_bug`] knows their places.
fn note_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location();
        let place = place.map(|place| format!("{}:{}", place.file(), place.line()));
        // Nothing in this file panics while it holds the lock.
        *PLACE.lock().unwrap_or_else(|error| error.into_inner()) = place;
    }));
}

/// Does `work`, and makes a panic in it an error with a message for the user.
fn catch_bug<T>(work: impl FnOnce() -> T) -> Result<T, Bug> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let problem = panic.downcast_ref::<String>().map(String::as_str);
        let problem = problem.or_else(|| panic.downcast_ref::<&str>().copied());
        let mut place = PLACE.lock().unwrap_or_else(|error| error.into_inner());
        Bug {
            place: place.take().unwrap_or_else(|| "at an unknown place".into()),
            problem: problem.unwrap_or("it left no message").to_string(),
        }
    })
}

/// Writes a result to standard output.
fn print(text: &str) -> Result<(), Error> {
    let mut stdout = stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bugs_message_names_its_place_whichever_thread_it_was_in() {
        let before = panic::take_hook();
        note_panics();
        let line = line!() + 1;
        let here = catch_bug(|| -> u32 { panic!("no {}", "digit") });
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        let elsewhere = catch_bug(|| pool.unwrap().install(|| -> u32 { panic!("no ink") }));
        let fine = catch_bug(|| 7);
        panic::set_hook(before);

        let message = |line: u32, problem: &str| {
            let file = file!();
            format!("this is a bug in mnistctl ({file}:{line}); please report it: {problem}")
        };
        assert_eq!(here.unwrap_err().to_string(), message(line, "no digit"));
        assert_eq!(
            elsewhere.unwrap_err().to_string(),
            message(line + 2, "no ink")
        );
        assert_eq!(fine.unwrap(), 7);
    }
}
