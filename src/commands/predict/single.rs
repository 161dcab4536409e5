//! `predict`: one digit in each picture.

use super::{Answer, text};
use crate::cli::PredictArgs;
use crate::dataset::Classes;
use crate::evaluation::Prediction;
use crate::ink::Digit;
use crate::ink::single::Single;

/// Everything in the picture that may be the digit.
pub fn candidates(picture: &Single) -> Vec<&Digit> {
    picture.candidates().iter().collect()
}

/// The digit of a picture and its prediction, given a prediction for each candidate.
pub fn chosen(picture: Single, predictions: &[Prediction]) -> (Digit, &Prediction) {
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    let best = picture.best(&probabilities);
    (picture.take(best), &predictions[best])
}

/// What is printed about a picture, given a prediction for each candidate.
pub fn describe(
    args: &PredictArgs,
    classes: &Classes,
    name: &str,
    picture: Single,
    predictions: &[Prediction],
) -> Answer {
    let (digit, prediction) = chosen(picture, predictions);
    Answer {
        text: if args.json {
            text::json(classes, name, prediction)
        } else {
            text::text(args, classes, name, &digit, prediction)
        },
        digits: vec![digit],
    }
}
