//! `mnistctl predict`

mod progress;
mod text;

use std::path::Path;

use super::{Error, Status, interrupt, print};
use crate::backend::{Backend, available_threads, with_threads};
use crate::cli::PredictArgs;
use crate::evaluation::{BATCH, Ensemble, Prediction};
use crate::ink::files::{Input, expand};
use crate::ink::reader::{MAX_THREADS, Reader, Reading};
use crate::ink::save::Folder;
use crate::ink::{Digit, read_bytes};
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
    let mut folder = match &args.save {
        Some(path) => Some(save_folder(path, &listing.inputs)?),
        None => None,
    };
    // While it waits for standard input, Ctrl-C must end the program at once.
    if !listing
        .inputs
        .iter()
        .any(|input| matches!(input, Input::Stdin))
    {
        interrupt::listen();
    }

    let mut status = Status::Done;
    let mut progress = Progress::new(listing.inputs.len());
    let mut reader = Reader::new(listing.inputs, available_threads());
    loop {
        let readings = reader.batch(BATCH, read_bytes);
        if readings.is_empty() {
            return Ok(status);
        }
        if readings.iter().any(|reading| reading.result.is_err()) {
            status = Status::PartlyFailed;
        }
        let predictions = predict_all(&ensemble, &readings)?;
        let mut output = String::new();
        for (reading, prediction) in readings.iter().zip(&predictions) {
            output += &describe(args, reading, prediction.as_ref());
        }
        progress.suspend(|| report(args, &readings, &output))?;
        if let Some(folder) = &mut folder {
            save(folder, &readings)?;
        }
        progress.add(readings.len());
        if interrupt::requested() {
            return Ok(Status::Interrupted);
        }
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

/// A prediction for each picture that could be read.
fn predict_all(
    ensemble: &Ensemble,
    readings: &[Reading<Digit>],
) -> Result<Vec<Option<Prediction>>, Error> {
    let digits = readings
        .iter()
        .filter_map(|reading| reading.result.as_ref().ok());
    let pixels: Vec<&[u8]> = digits.map(|digit| digit.pixels.as_slice()).collect();
    let mut predictions = ensemble.predict(&pixels)?.into_iter();
    let each = readings.iter().map(|reading| match reading.result {
        Ok(_) => predictions.next(),
        Err(_) => None,
    });
    Ok(each.collect())
}

/// What standard output says about a picture.
fn describe(
    args: &PredictArgs,
    reading: &Reading<Digit>,
    prediction: Option<&Prediction>,
) -> String {
    let name = reading.input.name();
    match (args.json, &reading.result, prediction) {
        (true, Err(error), _) => text::json_error(&name, error),
        (true, _, Some(prediction)) => text::json(&name, prediction),
        (false, Ok(digit), Some(prediction)) => text::text(args, &name, digit, prediction),
        _ => String::new(),
    }
}

/// Prints results, and the errors of pictures that have no result.
fn report(args: &PredictArgs, readings: &[Reading<Digit>], output: &str) -> Result<(), Error> {
    if !args.json {
        for error in readings
            .iter()
            .filter_map(|reading| reading.result.as_ref().err())
        {
            note(&text::plain(&format!("error: {error}")));
        }
    }
    print(output)
}

fn save(folder: &mut Folder, readings: &[Reading<Digit>]) -> Result<(), Error> {
    for reading in readings {
        if let Ok(digit) = &reading.result {
            folder.save(&reading.input, digit)?;
        }
    }
    Ok(())
}
