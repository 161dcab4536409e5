//! `mnistctl predict`

mod many;
pub(super) mod progress;
pub(super) mod single;
mod text;

use std::path::{Path, PathBuf};

use super::{Error, Status, print};
use crate::cli::PredictArgs;
use crate::engine::{Backend, available_threads, with_threads};
use crate::evaluation::{BATCH, Ensemble, Prediction};
use crate::ink::files::{Input, expand};
use crate::ink::reader::{MAX_THREADS, Reader, Reading};
use crate::ink::save::Folder;
use crate::ink::{Digit, InkError, read_bytes, read_many_bytes, read_plain_bytes};
use crate::interrupt;
use crate::terminal::note;
use progress::PredictProgress;

pub fn run(args: &PredictArgs) -> Result<Status, Error> {
    // These threads help with single pictures. Each keeps memory of its own, so there are only a
    // few, however many cores there are. Building them fails only where there are such threads
    // already.
    let helpers = available_threads().min(MAX_THREADS);
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(helpers)
        .build_global();
    with_threads(available_threads(), || predict(args))?
}

fn predict(args: &PredictArgs) -> Result<Status, Error> {
    let ensemble = Ensemble::load(
        &args.checkpoint,
        &Backend::Native.compute(available_threads())?,
    )?;
    let classes = &ensemble.recipe().data.classes;
    if classes.are_named() {
        if args.many {
            return Err(Error::Usage(
                "--many looks for digits, and the classes of this network are others; give \
                 pictures of one thing each, without --many"
                    .into(),
            ));
        }
        note(
            "the classes of this network are no digits, so nothing is looked for in the pictures: \
             they become grey, light on dark, and 28x28 pixels",
        );
    }
    let listing = expand(&args.images);
    note_skipped(&listing.skipped);
    let folder = match &args.save {
        Some(path) => Some(save_folder(path, &listing.inputs)?),
        None => None,
    };
    // A signal ends the program only after the results so far have been printed, except while it
    // waits for standard input, which may never end.
    let mut inputs = listing.inputs.iter();
    let waits = inputs.any(|input| matches!(input, Input::Stdin));
    let _deferred = (!waits).then(interrupt::defer);

    let progress = PredictProgress::new(listing.inputs.len());
    let reader = Reader::new(listing.inputs, available_threads());
    let session = Session {
        args,
        reader,
        folder,
        progress,
    };
    if args.many {
        session.run(many::BATCH, read_many_bytes, |readings| {
            answers(&ensemble, readings, many::candidates, |name, numbers, p| {
                many::describe(args, name, &numbers, p)
            })
        })
    } else {
        let read = if classes.are_named() {
            read_plain_bytes
        } else {
            read_bytes
        };
        session.run(BATCH, read, |readings| {
            answers(
                &ensemble,
                readings,
                single::candidates,
                |name, picture, p| Ok(single::describe(args, classes, &name, picture, p)),
            )
        })
    }
}

/// Says how much of each folder is no picture.
pub(super) fn note_skipped(skipped: &[(PathBuf, usize)]) {
    for (folder, count) in skipped {
        let what = if *count == 1 {
            "entry is not a picture"
        } else {
            "entries are not pictures"
        };
        note(&format!("{}: {count} {what}", folder.display()));
    }
}

/// The folder of `--save`.
fn save_folder(path: &Path, inputs: &[Input]) -> Result<Folder, Error> {
    let folder = Folder::create(path)?;
    if folder.holds_any(inputs) {
        Err(Error::Usage(format!(
            "--save {}: the pictures to read are in this folder, and could be overwritten; name \
             another one",
            path.display()
        )))
    } else {
        Ok(folder)
    }
}

/// What is printed about a picture.
pub(super) struct Answer {
    text: String,
    /// What the network saw.
    digits: Vec<Digit>,
}

/// Lets the networks read the candidates of all pictures together; `describe` says what they make of
/// each, given its name and a prediction for each of its candidates.
pub(super) fn answers<T, A>(
    ensemble: &Ensemble,
    readings: Vec<Reading<T>>,
    candidates: impl Fn(&T) -> Vec<&Digit>,
    describe: impl Fn(String, T, &[Prediction]) -> Result<A, InkError>,
) -> Result<Vec<Reading<A>>, Error> {
    let pictures = readings
        .iter()
        .filter_map(|reading| reading.result.as_ref().ok());
    let pixels: Vec<&[u8]> = pictures
        .flat_map(&candidates)
        .map(|digit| digit.pixels.as_slice())
        .collect();
    let mut predictions = ensemble.predict(&pixels)?.into_iter();
    let answer = |reading: Reading<T>| {
        let name = reading.input.name();
        let result = reading.result.and_then(|picture| {
            let count = candidates(&picture).len();
            let own: Vec<Prediction> = predictions.by_ref().take(count).collect();
            describe(name, picture, &own)
        });
        Reading {
            input: reading.input,
            result,
        }
    };
    Ok(readings.into_iter().map(answer).collect())
}

/// The pictures of a command line, and where the results go.
struct Session<'a> {
    args: &'a PredictArgs,
    reader: Reader,
    folder: Option<Folder>,
    progress: PredictProgress,
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
