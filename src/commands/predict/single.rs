//! `predict`: one digit a picture.

use super::{Answer, text};
use crate::cli::PredictArgs;
use crate::commands::Error;
use crate::evaluation::{Ensemble, Prediction};
use crate::ink::reader::Reading;
use crate::ink::single::Single;

/// What is said about each picture.
pub fn answers(
    args: &PredictArgs,
    ensemble: &Ensemble,
    readings: Vec<Reading<Single>>,
) -> Result<Vec<Reading<Answer>>, Error> {
    let pictures = readings
        .iter()
        .filter_map(|reading| reading.result.as_ref().ok());
    let pixels: Vec<&[u8]> = pictures
        .flat_map(Single::candidates)
        .map(|digit| digit.pixels.as_slice())
        .collect();
    let mut predictions = ensemble.predict(&pixels)?.into_iter();
    let answer = |reading: Reading<Single>| {
        let name = reading.input.name();
        let result = reading.result.map(|picture| {
            let count = picture.candidates().len();
            let predictions: Vec<Prediction> = predictions.by_ref().take(count).collect();
            describe(args, &name, picture, &predictions)
        });
        Reading {
            input: reading.input,
            result,
        }
    };
    Ok(readings.into_iter().map(answer).collect())
}

fn describe(args: &PredictArgs, name: &str, picture: Single, predictions: &[Prediction]) -> Answer {
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    let best = picture.best(&probabilities);
    let (digit, prediction) = (picture.take(best), &predictions[best]);
    Answer {
        text: match args.json {
            true => text::json(name, prediction),
            false => text::text(args, name, &digit, prediction),
        },
        digits: vec![digit],
    }
}
