//! How `predict` words what it found.

use std::fmt::Write;

use serde::Serialize;

use crate::cli::PredictArgs;
use crate::dataset::Classes;
use crate::evaluation::Prediction;
use crate::ink::many::Candidate;
use crate::ink::{Digit, InkError, SIDE, preview};

/// A digit less probable than this is shown as unsure.
pub const SURE: f64 = 0.8;

/// The length of the bar of a digit that is certain, in columns.
const BAR: f64 = 40.0;

/// One digit of a picture that has several.
pub struct Seen<'a> {
    pub candidate: &'a Candidate,
    pub prediction: &'a Prediction,
}

/// One line of `predict --json`.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Read {
        file: &'a str,
        digit: usize,
        /// Its name, where it is no digit.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<&'a str>,
        confidence: f64,
        probabilities: [f64; 10],
    },
    Many {
        file: &'a str,
        /// Lines end in a line break, but for the last.
        text: String,
        digits: Vec<Placed>,
    },
    Failed {
        file: &'a str,
        error: String,
    },
}

/// One of the digits of a picture.
#[derive(Serialize)]
struct Placed {
    digit: usize,
    confidence: f64,
    /// Left, top, width and height, in pixels of the picture as it is viewed.
    #[serde(rename = "box")]
    place: [u32; 4],
}

impl Line<'_> {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("a prediction is plain JSON") + "\n"
    }
}

pub fn json(classes: &Classes, file: &str, prediction: &Prediction) -> String {
    let line = Line::Read {
        file,
        digit: prediction.digit(),
        class: classes.own_name(prediction.digit()),
        confidence: prediction.confidence(),
        probabilities: prediction.probabilities,
    };
    line.text()
}

pub fn many_json(file: &str, lines: &[Vec<Seen>]) -> String {
    let placed = |seen: &Seen| Placed {
        digit: seen.prediction.digit(),
        confidence: seen.prediction.confidence(),
        place: seen.candidate.place,
    };
    let line = Line::Many {
        file,
        text: numbers(lines).join("\n"),
        digits: lines.iter().flatten().map(placed).collect(),
    };
    line.text()
}

/// The digits of each line, as text.
fn numbers(lines: &[Vec<Seen>]) -> Vec<String> {
    let number = |line: &Vec<Seen>| {
        line.iter()
            .map(|seen| seen.prediction.digit().to_string())
            .collect()
    };
    lines.iter().map(number).collect()
}

pub fn json_error(file: &str, error: &InkError) -> String {
    let error = error.to_string();
    Line::Failed { file, error }.text()
}

/// A line, and with `--show` what the network saw below it.
pub fn text(
    args: &PredictArgs,
    classes: &Classes,
    name: &str,
    digit: &Digit,
    prediction: &Prediction,
) -> String {
    let mut text = format!("{}: ", plain(name));
    let unsure = prediction.confidence() < SURE;
    match args.top {
        1 => {
            let percent = 100.0 * prediction.confidence();
            let unsure = if unsure { ", unsure" } else { "" };
            let class = classes.name(prediction.digit());
            let _ = write!(text, "{class} ({percent:.1} %{unsure})");
        }
        top => {
            text += &ranking(classes, prediction, usize::from(top));
            text += if unsure { "  (unsure)" } else { "" };
        }
    }
    text.push('\n');
    if args.show {
        text += &preview(&digit.pixels, SIDE);
        let names = classes.names();
        let widest = names.iter().map(|name| name.chars().count()).max();
        let width = widest.unwrap_or(0);
        for (name, probability) in names.iter().zip(prediction.probabilities) {
            let bar = "█".repeat((probability * BAR).round() as usize);
            let _ = writeln!(text, "{name:<width$} {:>5.1} % {bar}", 100.0 * probability);
        }
    }
    text
}

/// A line for all digits of a picture, and with `--show` what the network saw of each below it.
pub fn many_text(args: &PredictArgs, name: &str, lines: &[Vec<Seen>]) -> String {
    let digits = || lines.iter().flatten();
    let lowest = digits()
        .map(|seen| seen.prediction.confidence())
        .fold(1.0, f64::min);
    let unsure = if lowest < SURE { ", unsure" } else { "" };
    let mut text = format!(
        "{}: {} (lowest confidence {:.1} %{unsure})\n",
        plain(name),
        numbers(lines).join(" / "),
        100.0 * lowest
    );
    if args.show {
        for seen in digits() {
            text += &preview(&seen.candidate.digit.pixels, SIDE);
            let percent = 100.0 * seen.prediction.confidence();
            let _ = writeln!(text, "{} {percent:>5.1} %", seen.prediction.digit());
        }
    }
    text
}

/// The most probable digits, each with its probability.
fn ranking(classes: &Classes, prediction: &Prediction, top: usize) -> String {
    let mut ranked: Vec<(usize, f64)> = prediction.probabilities.into_iter().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let each = ranked[..top].iter().map(|(class, probability)| {
        format!("{} {:.1} %", classes.name(*class), 100.0 * probability)
    });
    each.collect::<Vec<_>>().join("  ")
}

/// A name as it can be shown on one line: no line breaks, and nothing that a terminal obeys.
pub fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}
