//! `predict`: one digit in each picture.

use super::{Answer, text};
use crate::cli::PredictArgs;
use crate::evaluation::Prediction;
use crate::ink::Digit;
use crate::ink::single::Single;

/// Everything in the picture that may be the digit.
pub fn candidates(picture: &Single) -> Vec<&Digit> {
    picture.candidates().iter().collect()
}

/// What is printed about a picture, given a prediction for each candidate.
pub fn describe(
    args: &PredictArgs,
    name: &str,
    picture: Single,
    predictions: &[Prediction],
) -> Answer {
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    let best = picture.best(&probabilities);
    let (digit, prediction) = (picture.take(best), &predictions[best]);
    Answer {
        text: if args.json {
            text::json(name, prediction)
        } else {
            text::text(args, name, &digit, prediction)
        },
        digits: vec![digit],
    }
}
