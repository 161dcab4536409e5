//! The confusion matrix, and precision, recall and F1 from it.

use std::fmt::Write;

use serde::Serialize;

use crate::dataset::{CLASSES, Classes};

/// How often each digit was taken for each: `counts[true][predicted]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Confusion {
    counts: [[u64; CLASSES]; CLASSES],
}

/// One class's figures, as `sklearn.metrics.classification_report` defines them; a ratio with
/// nothing to divide by is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    pub digit: usize,
    /// The fraction of the images taken for this digit that do show it.
    pub precision: f64,
    /// The fraction of the images of this digit that were recognised.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// Images of this digit.
    pub images: u64,
}

impl Confusion {
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth][predicted] += 1;
    }

    pub fn counts(&self) -> &[[u64; CLASSES]; CLASSES] {
        &self.counts
    }

    pub fn images(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    pub fn correct(&self) -> u64 {
        (0..CLASSES).map(|digit| self.counts[digit][digit]).sum()
    }

    pub fn errors(&self) -> u64 {
        self.images() - self.correct()
    }

    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.images())
    }

    pub fn per_class(&self) -> Vec<ClassFigures> {
        (0..CLASSES)
            .map(|digit| {
                let right = self.counts[digit][digit];
                let images: u64 = self.counts[digit].iter().sum();
                let predicted: u64 = self.counts.iter().map(|row| row[digit]).sum();
                ClassFigures {
                    digit,
                    precision: ratio(right, predicted),
                    recall: ratio(right, images),
                    f1: ratio(2 * right, images + predicted),
                    images,
                }
            })
            .collect()
    }

    /// Both tables, for reading. Named classes have their labels before their names, and only the
    /// labels across.
    pub fn text(&self, classes: &Classes) -> String {
        let noun = classes.noun();
        let names: Vec<String> = (0..CLASSES)
            .map(|class| match classes.own_name(class) {
                Some(name) => format!("{class} {name}"),
                None => class.to_string(),
            })
            .collect();
        let widest = names.iter().map(|name| name.chars().count()).max();
        let width = widest.unwrap_or(0).max(noun.len());
        // Digits stand under one another's ends, and names under one another's beginnings.
        let aligned = |name: &str| match classes.are_named() {
            true => format!("{name:<width$}"),
            false => format!("{name:>width$}"),
        };
        let mut text = format!("{}  precision  recall      F1  images\n", aligned(noun));
        for class in self.per_class() {
            let _ = writeln!(
                text,
                "{}  {:>9.4}  {:.4}  {:.4}  {:>6}",
                aligned(&names[class.digit]),
                class.precision,
                class.recall,
                class.f1,
                class.images
            );
        }
        let _ = write!(text, "\ntrue {noun} down, predicted {noun} across\n");
        text += &" ".repeat(width);
        for class in 0..CLASSES {
            let _ = write!(text, "{class:>6}");
        }
        for (name, row) in names.iter().zip(&self.counts) {
            let _ = write!(text, "\n{}", aligned(name));
            for count in row {
                let _ = match count {
                    0 => write!(text, "{:>6}", "."),
                    count => write!(text, "{count:>6}"),
                };
            }
        }
        text
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_match_a_case_worked_by_hand() {
        // Three 1s, one read as 7; two 7s, both read as 7; no other digit.
        let mut confusion = Confusion::default();
        for (truth, predicted) in [(1, 1), (1, 1), (1, 7), (7, 7), (7, 7)] {
            confusion.add(truth, predicted);
        }
        assert_eq!((confusion.images(), confusion.errors()), (5, 1));
        assert_eq!(confusion.accuracy(), 0.8);
        let classes = confusion.per_class();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(classes[1].precision, 1.0) && close(classes[1].recall, 2.0 / 3.0));
        assert!(close(classes[1].f1, 0.8));
        assert!(close(classes[7].precision, 2.0 / 3.0) && close(classes[7].recall, 1.0));
        assert!(close(classes[7].f1, 0.8));
        assert_eq!(classes[0].f1, 0.0);
    }
}
