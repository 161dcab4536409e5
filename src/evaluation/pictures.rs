//! What networks make of pictures: the one thing that a picture shows, or all its digits.
//!
//! A picture is [`read`](Way::read) first; then the networks read the candidates of many pictures
//! together, and [`Found::answer`] chooses among each one's.

use serde::Serialize;

use super::{BATCH, Ensemble, NotANumber, Prediction};
use crate::dataset::Classes;
use crate::ink::many::Numbers;
use crate::ink::single::Single;
use crate::ink::{Digit, InkError, read_bytes, read_many_bytes, read_plain_bytes};

/// How a picture is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It shows one digit.
    Digit,
    /// It shows any number of digits.
    Digits,
    /// It shows something that is no digit, and is taken as it is.
    Plain,
}

impl Way {
    /// The way for a picture of one of these classes.
    pub fn of(classes: &Classes) -> Self {
        if classes.are_named() {
            Way::Plain
        } else {
            Way::Digit
        }
    }

    /// Looks for what a picture shows; `name` is what messages call it.
    pub fn read(self, name: &str, bytes: &[u8]) -> Result<Found, InkError> {
        match self {
            Way::Digit => read_bytes(name, bytes).map(Found::One),
            Way::Digits => read_many_bytes(name, bytes).map(Found::Many),
            Way::Plain => read_plain_bytes(name, bytes).map(Found::One),
        }
    }

    /// How many pictures are worth reading together.
    pub fn together(self) -> usize {
        match self {
            Way::Digit | Way::Plain => BATCH,
            // Each has a few hundred candidates.
            Way::Digits => 50,
        }
    }
}

/// What was found in a picture, before a network has read it.
pub enum Found {
    One(Single),
    Many(Numbers),
}

impl Found {
    /// Everything in the picture that the networks are to read.
    pub fn candidates(&self) -> Vec<&Digit> {
        match self {
            Found::One(single) => single.candidates().iter().collect(),
            Found::Many(numbers) => numbers.candidates().map(|found| &found.digit).collect(),
        }
    }

    /// What the picture shows, given a prediction for each candidate; `name` is what messages call it.
    pub fn answer(self, name: &str, predictions: &[Prediction]) -> Result<Answer, InkError> {
        let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
        match self {
            Found::One(single) => {
                let best = single.best(&probabilities);
                Ok(Answer::One(Box::new(Seen {
                    digit: single.take(best),
                    place: None,
                    prediction: predictions[best].clone(),
                })))
            }
            Found::Many(numbers) => {
                let candidates: Vec<_> = numbers.candidates().collect();
                let seen = |index: usize| Seen {
                    digit: candidates[index].digit.clone(),
                    place: Some(candidates[index].place),
                    prediction: predictions[index].clone(),
                };
                let lines = numbers.best(&probabilities).into_iter();
                let lines: Vec<Vec<Seen>> = lines
                    .map(|line| line.into_iter().map(seen).collect())
                    .collect();
                if lines.is_empty() {
                    return Err(InkError::NoInk { file: name.into() });
                }
                Ok(Answer::Many(lines))
            }
        }
    }
}

impl Ensemble {
    /// The networks' predictions for the candidates of each of `found`, which they read together.
    pub fn read(&self, found: &[&Found]) -> Result<Vec<Vec<Prediction>>, NotANumber> {
        let candidates: Vec<Vec<&Digit>> = found.iter().map(|found| found.candidates()).collect();
        let pixels = candidates.iter().flatten();
        let pixels: Vec<&[u8]> = pixels.map(|digit| digit.pixels.as_slice()).collect();
        let mut predictions = self.predict(&pixels)?.into_iter();
        let of_each = candidates.iter();
        Ok(of_each
            .map(|own| predictions.by_ref().take(own.len()).collect())
            .collect())
    }
}

/// What a picture shows.
#[derive(Debug, Clone)]
pub enum Answer {
    One(Box<Seen>),
    /// The digits of each line of writing.
    Many(Vec<Vec<Seen>>),
}

/// One thing that was read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the network saw.
    pub digit: Digit,
    /// Left, top, width and height, in pixels of the picture as it is viewed, of one among several.
    pub place: Option<[u32; 4]>,
    pub prediction: Prediction,
}

impl Answer {
    /// All that was read, in reading order.
    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        let (one, many) = match self {
            Answer::One(seen) => (Some(seen.as_ref()), &[][..]),
            Answer::Many(lines) => (None, &lines[..]),
        };
        one.into_iter().chain(many.iter().flatten())
    }

    /// The digits of each line of writing, as text.
    pub fn numbers(lines: &[Vec<Seen>]) -> Vec<String> {
        let number = |line: &Vec<Seen>| {
            let digits = line.iter().map(|seen| seen.prediction.digit().to_string());
            digits.collect()
        };
        lines.iter().map(number).collect()
    }

    /// The object of `predict --json`. With `details` it has the pixels that the network saw, too, and
    /// for each of several digits all probabilities.
    pub fn to_json<'a>(&'a self, file: &'a str, classes: &'a Classes, details: bool) -> Line<'a> {
        let pixels = |seen: &'a Seen| details.then_some(&seen.digit.pixels[..]);
        match self {
            Answer::One(seen) => Line::Read {
                file,
                digit: seen.prediction.digit(),
                class: classes.own_name(seen.prediction.digit()),
                confidence: seen.prediction.confidence(),
                probabilities: seen.prediction.probabilities,
                pixels: pixels(seen),
            },
            Answer::Many(lines) => {
                let placed = |seen: &'a Seen| Placed {
                    digit: seen.prediction.digit(),
                    confidence: seen.prediction.confidence(),
                    place: seen.place.unwrap_or_default(),
                    probabilities: details.then_some(seen.prediction.probabilities),
                    pixels: pixels(seen),
                };
                Line::Many {
                    file,
                    text: Self::numbers(lines).join("\n"),
                    digits: lines.iter().flatten().map(placed).collect(),
                }
            }
        }
    }
}

/// One object of `predict --json`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Line<'a> {
    Read {
        file: &'a str,
        digit: usize,
        /// Its name, where it is no digit.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<&'a str>,
        confidence: f64,
        probabilities: [f64; 10],
        #[serde(skip_serializing_if = "Option::is_none")]
        pixels: Option<&'a [u8]>,
    },
    Many {
        file: &'a str,
        /// Lines end in a line break, but for the last.
        text: String,
        digits: Vec<Placed<'a>>,
    },
    Failed {
        file: &'a str,
        error: String,
    },
}

/// One of the digits of a picture.
#[derive(Debug, Serialize)]
pub struct Placed<'a> {
    digit: usize,
    confidence: f64,
    #[serde(rename = "box")]
    place: [u32; 4],
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<[f64; 10]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pixels: Option<&'a [u8]>,
}

impl<'a> Line<'a> {
    /// Stands for a picture that can't be read.
    pub fn failed(file: &'a str, error: &InkError) -> Self {
        Line::Failed {
            file,
            error: error.to_string(),
        }
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a prediction is plain JSON")
    }
}
