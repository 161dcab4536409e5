//! `predict`: one digit a picture.

use super::{Answer, text};
use crate::cli::PredictArgs;
use crate::commands::Error;
use crate::evaluation::Ensemble;
use crate::ink::Digit;
use crate::ink::reader::Reading;

/// What is said about each picture.
pub fn answers(
    args: &PredictArgs,
    ensemble: &Ensemble,
    readings: Vec<Reading<Digit>>,
) -> Result<Vec<Reading<Answer>>, Error> {
    let digits = readings
        .iter()
        .filter_map(|reading| reading.result.as_ref().ok());
    let pixels: Vec<&[u8]> = digits.map(|digit| digit.pixels.as_slice()).collect();
    let mut predictions = ensemble.predict(&pixels)?.into_iter();
    let answer = |reading: Reading<Digit>| {
        let name = reading.input.name();
        let result = reading.result.map(|digit| {
            let prediction = predictions.next().expect("one for each digit");
            let text = match args.json {
                true => text::json(&name, &prediction),
                false => text::text(args, &name, &digit, &prediction),
            };
            Answer {
                text,
                digits: vec![digit],
            }
        });
        Reading {
            input: reading.input,
            result,
        }
    };
    Ok(readings.into_iter().map(answer).collect())
}
