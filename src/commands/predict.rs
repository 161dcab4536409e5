//! `mnistctl predict`

use std::fmt::Write;

use serde::Serialize;

use super::{Error, Status, print};
use crate::backend::{Backend, available_threads, with_threads};
use crate::cli::PredictArgs;
use crate::evaluation::{Ensemble, Prediction};
use crate::ink::files::{Input, expand};
use crate::ink::{Digit, InkError, SIDE, preview};
use crate::training::progress::note;

/// As many pictures are held in memory and predicted at once.
const BATCH: usize = 256;

/// One line of `predict --json`.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Read {
        file: &'a str,
        digit: usize,
        confidence: f64,
        probabilities: [f64; 10],
    },
    Failed {
        file: &'a str,
        error: String,
    },
}

pub fn run(args: &PredictArgs) -> Result<Status, Error> {
    with_threads(available_threads(), || predict(args))?
}

fn predict(args: &PredictArgs) -> Result<Status, Error> {
    let ensemble = Ensemble::load(&args.checkpoint, &Backend::Flex.engine(true)?)?;
    let mut status = Status::Done;
    let mut inputs = expand(&args.images).into_iter().peekable();
    while inputs.peek().is_some() {
        let mut pictures: Vec<(String, Result<Digit, InkError>)> = Vec::new();
        for input in inputs.by_ref().take(BATCH) {
            if let Input::Skipped { folder, count } = &input {
                note(&format!(
                    "{}: {count} entries are not pictures",
                    folder.display()
                ));
            }
            let name = input.name();
            if let Some(result) = input.read() {
                pictures.push((name, result));
            }
        }
        let readable = pictures
            .iter()
            .filter_map(|(_, result)| result.as_ref().ok());
        let pixels: Vec<&[u8]> = readable.map(|digit| digit.pixels.as_slice()).collect();
        let mut predictions = ensemble.predict(&pixels)?.into_iter();
        for (name, result) in &pictures {
            let result = result.as_ref().map(|digit| {
                let prediction = predictions.next();
                (
                    digit,
                    prediction.expect("there is one for each picture read"),
                )
            });
            if result.is_err() {
                status = Status::PartlyFailed;
            }
            match (args.json, result) {
                (true, result) => print(&json(name, &result))?,
                (false, Ok((digit, prediction))) => print(&text(args, name, digit, &prediction))?,
                (false, Err(error)) => note(&format!("error: {error}")),
            }
        }
    }
    Ok(status)
}

fn json(file: &str, result: &Result<(&Digit, Prediction), &InkError>) -> String {
    let line = match result {
        Ok((_, prediction)) => Line::Read {
            file,
            digit: prediction.digit(),
            confidence: prediction.confidence(),
            probabilities: prediction.probabilities,
        },
        Err(error) => Line::Failed {
            file,
            error: error.to_string(),
        },
    };
    serde_json::to_string(&line).expect("a prediction is plain JSON") + "\n"
}

fn text(args: &PredictArgs, name: &str, digit: &Digit, prediction: &Prediction) -> String {
    let mut text = format!("{name}: {}", prediction.digit());
    let mut ranked: Vec<(usize, f64)> = prediction.probabilities.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    match args.top {
        1 => text += &format!(" ({:.1} %)", 100.0 * prediction.confidence()),
        top => {
            for (digit, probability) in &ranked[..usize::from(top)] {
                let _ = write!(text, "  {digit} {:.1} %", 100.0 * probability);
            }
        }
    }
    text.push('\n');
    if args.show {
        text += &preview(&digit.pixels, SIDE);
        for (digit, probability) in prediction.probabilities.iter().enumerate() {
            let bar = "█".repeat((probability * 40.0).round() as usize);
            let _ = writeln!(text, "{digit} {:>5.1} % {bar}", 100.0 * probability);
        }
    }
    text
}
