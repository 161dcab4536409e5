//! How `predict` words what it found.

use std::fmt::Write;

use crate::cli::PredictArgs;
use crate::dataset::Classes;
use crate::evaluation::{Answer, Prediction, Seen};
use crate::ink::{SIDE, preview};

/// A digit less probable than this is shown as unsure.
pub const SURE: f64 = 0.8;

/// The length of the bar of a digit that is certain, in columns.
const BAR: f64 = 40.0;

/// What is printed about a picture.
pub fn text(args: &PredictArgs, classes: &Classes, name: &str, answer: &Answer) -> String {
    match answer {
        Answer::One(seen) => one(args, classes, name, seen),
        Answer::Many(lines) => many(args, name, lines),
    }
}

/// A line, and with `--show` what the network saw below it.
fn one(args: &PredictArgs, classes: &Classes, name: &str, seen: &Seen) -> String {
    let prediction = &seen.prediction;
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
        text += &preview(&seen.digit.pixels, SIDE);
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
fn many(args: &PredictArgs, name: &str, lines: &[Vec<Seen>]) -> String {
    let digits = || lines.iter().flatten();
    let lowest = digits()
        .map(|seen| seen.prediction.confidence())
        .fold(1.0, f64::min);
    let unsure = if lowest < SURE { ", unsure" } else { "" };
    let mut text = format!(
        "{}: {} (lowest confidence {:.1} %{unsure})\n",
        plain(name),
        Answer::numbers(lines).join(" / "),
        100.0 * lowest
    );
    if args.show {
        for seen in digits() {
            text += &preview(&seen.digit.pixels, SIDE);
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
