//! `predict --many`: all digits of each picture.

use super::{Answer, text};
use crate::cli::PredictArgs;
use crate::commands::Error;
use crate::evaluation::{Ensemble, Prediction};
use crate::ink::InkError;
use crate::ink::many::{Candidate, Numbers};
use crate::ink::reader::Reading;

/// How many pictures are read at a time: each has a few hundred candidates.
pub const BATCH: usize = 50;

/// A digit of a picture.
pub struct Seen<'a> {
    pub candidate: &'a Candidate,
    pub prediction: &'a Prediction,
}

/// What is said about each picture.
pub fn answers(
    args: &PredictArgs,
    ensemble: &Ensemble,
    readings: Vec<Reading<Numbers>>,
) -> Result<Vec<Reading<Answer>>, Error> {
    let numbers = readings
        .iter()
        .filter_map(|reading| reading.result.as_ref().ok());
    let pixels: Vec<&[u8]> = numbers
        .flat_map(Numbers::candidates)
        .map(|candidate| candidate.digit.pixels.as_slice())
        .collect();
    let mut predictions = ensemble.predict(&pixels)?.into_iter();
    let answer = |reading: Reading<Numbers>| {
        let name = reading.input.name();
        let result = reading.result.and_then(|numbers| {
            let count = numbers.candidates().count();
            let predictions: Vec<Prediction> = predictions.by_ref().take(count).collect();
            describe(args, name, &numbers, &predictions)
        });
        Reading {
            input: reading.input,
            result,
        }
    };
    Ok(readings.into_iter().map(answer).collect())
}

fn describe(
    args: &PredictArgs,
    file: String,
    numbers: &Numbers,
    predictions: &[Prediction],
) -> Result<Answer, InkError> {
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    let candidates: Vec<&Candidate> = numbers.candidates().collect();
    let seen = |index: usize| Seen {
        candidate: candidates[index],
        prediction: &predictions[index],
    };
    let lines: Vec<Vec<Seen>> = numbers
        .best(&probabilities)
        .into_iter()
        .map(|line| line.into_iter().map(seen).collect())
        .collect();
    if lines.is_empty() {
        return Err(InkError::NoInk { file });
    }
    let digits = lines.iter().flatten();
    Ok(Answer {
        text: match args.json {
            true => text::many_json(&file, &lines),
            false => text::many_text(args, &file, &lines),
        },
        digits: digits.map(|seen| seen.candidate.digit.clone()).collect(),
    })
}
