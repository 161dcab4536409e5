//! `mnistctl predict`

mod many;
mod progress;
mod single;
mod text;

use std::path::Path;

use super::{Error, Status, print};
use crate::backend::{Backend, available_threads, with_threads};
use crate::cli::PredictArgs;
use crate::evaluation::{BATCH, Ensemble};
use crate::ink::files::{Input, expand};
use crate::ink::reader::{MAX_THREADS, Reader, Reading};
use crate::ink::save::Folder;
use crate::ink::{Digit, InkError, read_bytes, read_many_bytes};
use crate::interrupt;
use crate::training::progress::note;
use progress::Progress;

pub fn run(args: &PredictArgs) -> Result<Status, Error> {
    // The threads that help with single pictures: every thread keeps memory for itself, so on many
    // cores they would add up. It only fails where there are such threads already.
    let helpers = available_threads().min(MAX_THREADS);
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(helpers)
        .build_global();
    with_threads(available_threads(), || predict(args))?
}

fn predict(args: &PredictArgs) -> Result<Status, Error> {
    let ensemble = Ensemble::load(&args.checkpoint, &Backend::Flex.engine(true)?)?;
    let listing = expand(&args.images);
    for (folder, count) in &listing.skipped {
        let what = if *count == 1 {
            "entry is not a picture"
        } else {
            "entries are not pictures"
        };
        note(&format!("{}: {count} {what}", folder.display()));
    }
    let folder = match &args.save {
        Some(path) => Some(save_folder(path, &listing.inputs)?),
        None => None,
    };
    // What has been read is said before a signal ends the program. Not while it waits for standard
    // input, which may never come.
    let mut inputs = listing.inputs.iter();
    let waits = inputs.any(|input| matches!(input, Input::Stdin));
    let _deferred = (!waits).then(interrupt::defer);

    let progress = Progress::new(listing.inputs.len());
    let reader = Reader::new(listing.inputs, available_threads());
    let session = Session {
        args,
        reader,
        folder,
        progress,
    };
    match args.many {
        true => session.run(many::BATCH, read_many_bytes, |readings| {
            many::answers(args, &ensemble, readings)
        }),
        false => session.run(BATCH, read_bytes, |readings| {
            single::answers(args, &ensemble, readings)
        }),
    }
}

/// The folder of `--save`.
fn save_folder(path: &Path, inputs: &[Input]) -> Result<Folder, Error> {
    let folder = Folder::create(path)?;
    match folder.holds_any(inputs) {
        true => Err(Error::Usage(format!(
            "--save {}: the pictures to read are in this folder, and could be overwritten; name \
             another one",
            path.display()
        ))),
        false => Ok(folder),
    }
}

/// What is said about a picture.
struct Answer {
    text: String,
    /// What the network saw.
    digits: Vec<Digit>,
}

/// The pictures of a command line, and where the results go.
struct Session<'a> {
    args: &'a PredictArgs,
    reader: Reader,
    folder: Option<Folder>,
    progress: Progress,
}

impl Session<'_> {
    /// Reads all pictures with `read`, at most `most` at a time, and reports what `answers` makes of
    /// them.
    fn run<T: Send>(
        mut self,
        most: usize,
        read: impl Fn(&str, &[u8]) -> Result<T, InkError> + Sync,
        answers: impl Fn(Vec<Reading<T>>) -> Result<Vec<Reading<Answer>>, Error>,
    ) -> Result<Status, Error> {
        let mut status = Status::Done;
        loop {
            let readings = self.reader.batch(most, &read);
            if readings.is_empty() {
                return Ok(status);
            }
            let answers = answers(readings)?;
            if answers.iter().any(|answer| answer.result.is_err()) {
                status = Status::PartlyFailed;
            }
            self.progress.suspend(|| report(self.args, &answers))?;
            if let Some(folder) = &mut self.folder {
                save(folder, self.args, &answers)?;
            }
            self.progress.add(answers.len());
            if interrupt::requested() {
                return Ok(Status::Interrupted);
            }
        }
    }
}

/// Prints results, and the errors of pictures that have no result.
fn report(args: &PredictArgs, answers: &[Reading<Answer>]) -> Result<(), Error> {
    let mut output = String::new();
    for answer in answers {
        match &answer.result {
            Ok(answer) => output += &answer.text,
            Err(error) if args.json => output += &text::json_error(&answer.input.name(), error),
            Err(error) => note(&text::plain(&format!("error: {error}"))),
        }
    }
    print(&output)
}

fn save(folder: &mut Folder, args: &PredictArgs, answers: &[Reading<Answer>]) -> Result<(), Error> {
    for answer in answers {
        let Ok(Answer { digits, .. }) = &answer.result else {
            continue;
        };
        for (index, digit) in digits.iter().enumerate() {
            folder.save(&answer.input, args.many.then_some(index + 1), digit)?;
        }
    }
    Ok(())
}
