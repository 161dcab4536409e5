//! `mnistctl predict`

pub(super) mod progress;
mod text;

use std::path::{Path, PathBuf};

use super::{Error, Status, print};
use crate::cli::PredictArgs;
use crate::engine::{Backend, available_threads, with_threads};
use crate::evaluation::{Answer, Ensemble, Found, Line, Way};
use crate::ink::files::{Input, expand};
use crate::ink::reader::{MAX_THREADS, Reader, Reading};
use crate::ink::save::Folder;
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
        ensemble: &ensemble,
        way: match args.many {
            true => Way::Digits,
            false => Way::of(classes),
        },
        reader,
        folder,
        progress,
    };
    session.run()
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

/// Lets the networks read the pictures together, and gives what they make of each.
pub(super) fn answers(
    ensemble: &Ensemble,
    readings: Vec<Reading<Found>>,
) -> Result<Vec<Reading<Answer>>, Error> {
    let found = readings.iter();
    let found: Vec<&Found> = found.filter_map(|r| r.result.as_ref().ok()).collect();
    let mut predictions = ensemble.read(&found)?.into_iter();
    let answer = |reading: Reading<Found>| {
        let name = reading.input.name();
        let result = reading.result.and_then(|found| {
            let own = predictions.next().unwrap_or_default();
            found.answer(&name, &own)
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
    ensemble: &'a Ensemble,
    way: Way,
    reader: Reader,
    folder: Option<Folder>,
    progress: PredictProgress,
}

impl Session<'_> {
    /// Reads all pictures and reports what they show.
    fn run(mut self) -> Result<Status, Error> {
        let mut status = Status::Done;
        let way = self.way;
        loop {
            let read = |name: &str, bytes: &[u8]| way.read(name, bytes);
            let readings = self.reader.batch(way.together(), read);
            if readings.is_empty() {
                return Ok(status);
            }
            let answers = answers(self.ensemble, readings)?;
            if answers.iter().any(|answer| answer.result.is_err()) {
                status = Status::PartlyFailed;
            }
            self.progress.suspend(|| self.report(&answers))?;
            if let Some(folder) = &mut self.folder {
                save(folder, &answers)?;
            }
            self.progress.add(answers.len());
            if interrupt::requested() {
                return Ok(Status::Interrupted);
            }
        }
    }

    /// Prints results, and the errors of pictures that have no result.
    fn report(&self, answers: &[Reading<Answer>]) -> Result<(), Error> {
        let classes = &self.ensemble.recipe().data.classes;
        let mut output = String::new();
        for reading in answers {
            let name = reading.input.name();
            match &reading.result {
                Ok(answer) if self.args.json => {
                    output += &answer.to_json(&name, classes, false).text();
                    output.push('\n');
                }
                Ok(answer) => output += &text::text(self.args, classes, &name, answer),
                Err(error) if self.args.json => {
                    output += &Line::failed(&name, error).text();
                    output.push('\n');
                }
                Err(error) => note(&text::plain(&format!("error: {error}"))),
            }
        }
        print(&output)
    }
}

/// Saves what the network saw of each picture.
fn save(folder: &mut Folder, answers: &[Reading<Answer>]) -> Result<(), Error> {
    for reading in answers {
        let Ok(answer) = &reading.result else {
            continue;
        };
        let many = matches!(answer, Answer::Many(_));
        for (index, seen) in answer.seen().enumerate() {
            folder.save(&reading.input, many.then_some(index + 1), &seen.digit)?;
        }
    }
    Ok(())
}
