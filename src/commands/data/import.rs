//! `mnistctl data import`

use std::fmt::Write;
use std::path::Path;

use super::{Error, Status, counts};
use crate::cli::DataImportArgs;
use crate::commands::predict::progress::PredictProgress;
use crate::commands::predict::{answers, note_skipped};
use crate::commands::print;
use crate::dataset::{CLASSES, Digits, Split, write_split};
use crate::engine::{Backend, available_threads, with_threads};
use crate::evaluation::{BATCH, Ensemble, Seen, Way};
use crate::files::{create_folder, write_atomically};
use crate::ink::reader::Reader;
use crate::interchange::pictures::{Collected, Duplicate, list};
use crate::report::{ReportError, digits};
use crate::terminal::note;

/// The picture that shows what was imported, and how many digits of each class it has.
const CONTACT_SHEET: &str = "digits.png";
const ON_SHEET: usize = 16;

pub fn run(args: &DataImportArgs) -> Result<Status, Error> {
    with_threads(available_threads(), || import(args))?
}

fn import(args: &DataImportArgs) -> Result<Status, Error> {
    let output = &args.output;
    let is_used = output
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some());
    if is_used || output.is_file() {
        return Err(Error::Usage(format!(
            "--output {}: it already holds something; name a new folder",
            output.display()
        )));
    }
    let pictures = list(&args.folder)?;
    note_skipped(&pictures.skipped);
    // Where ink may be dark or light, the network that reads pictures decides, as in `predict`.
    let network = Ensemble::embedded(&Backend::Native.compute(available_threads())?)?;
    let mut progress = PredictProgress::new(pictures.inputs.len());
    let mut labels = pictures.labels.into_iter();
    let mut reader = Reader::new(pictures.inputs, available_threads());
    let (mut collected, mut refused) = (Collected::default(), 0);
    loop {
        let readings = reader.batch(BATCH, |name, bytes| Way::Digit.read(name, bytes));
        if readings.is_empty() {
            break;
        }
        let count = readings.len();
        let answers = answers(&network, readings)?;
        for (reading, label) in answers.into_iter().zip(labels.by_ref()) {
            let name = reading.input.name();
            let mut add = |seen: &Seen| collected.add(name.clone(), &seen.digit, label);
            let problem = match reading.result {
                Err(error) => format!("left out: {error}"),
                Ok(answer) => match answer.seen().try_for_each(&mut add) {
                    Ok(()) => continue,
                    Err(duplicate) => left_out(&name, label, &duplicate),
                },
            };
            refused += 1;
            progress.suspend(|| note(&problem));
        }
        progress.add(count);
    }
    drop(progress);
    let (train, test) = collected.split(&args.folder, args.split)?;
    write(output, &train, &test)?;
    for (split, name) in [(&train, "to train on"), (&test, "to test with")] {
        if let Some(warning) = missing(split, name) {
            note(&format!("warning: {warning}"));
        }
    }
    let mut said = counts(&train, &test);
    if refused > 0 {
        let _ = writeln!(said, "{refused} pictures were left out, see above");
    }
    print(&format!("{said}{}\n", output.display()))?;
    if refused == 0 {
        Ok(Status::Done)
    } else {
        Ok(Status::PartlyFailed)
    }
}

fn left_out(name: &str, label: u8, duplicate: &Duplicate) -> String {
    let Duplicate { of, label: other } = duplicate;
    if *other == label {
        format!("left out: {name} is the same picture as {of}")
    } else {
        format!("left out: {name}, a {label}, is the same picture as {of}, a {other}")
    }
}

/// What is said of digits that none of the pictures shows.
fn missing(digits: &Digits, use_of_them: &str) -> Option<String> {
    let is_missing = |class: &u8| !digits.labels().contains(class);
    let missing: Vec<String> = (0..CLASSES as u8)
        .filter(is_missing)
        .map(|class| class.to_string())
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "there are no pictures {use_of_them} of the digits [{}]",
            missing.join(", ")
        )
    })
}

/// Writes the four files, and a picture of what is in them. The labels of the test digits come last:
/// without them, no part of it passes for a dataset.
fn write(folder: &Path, train: &Digits, test: &Digits) -> Result<(), Error> {
    let sheet = digits::classes(train, ON_SHEET).png();
    let sheet = sheet.map_err(ReportError::from)?;
    create_folder(folder)?;
    write_atomically(&folder.join(CONTACT_SHEET), &sheet)?;
    write_split(folder, Split::Train, train)?;
    write_split(folder, Split::Test, test)?;
    Ok(())
}
