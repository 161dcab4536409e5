//! `predict --many`: all digits of each picture.

use super::Answer;
use super::text::{self, Seen};
use crate::cli::PredictArgs;
use crate::evaluation::Prediction;
use crate::ink::many::{Candidate, Numbers};
use crate::ink::{Digit, InkError};

/// How many pictures are read at a time; each has a few hundred candidates.
pub const BATCH: usize = 50;

/// Everything in the picture that may be a digit.
pub fn candidates(numbers: &Numbers) -> Vec<&Digit> {
    let candidates = numbers.candidates();
    candidates.map(|candidate| &candidate.digit).collect()
}

/// What is printed about a picture, given a prediction for each candidate.
pub fn describe(
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
        text: if args.json {
            text::many_json(&file, &lines)
        } else {
            text::many_text(args, &file, &lines)
        },
        digits: digits.map(|seen| seen.candidate.digit.clone()).collect(),
    })
}
