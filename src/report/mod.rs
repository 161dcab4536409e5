//! Pictures and pages of what happened: charts, digits, and the HTML page that holds them.
//!
//! [`run`] is the report of a run, [`evaluation`] that of `eval`, [`comparison`] that of
//! `compare`; [`curves`] and [`digits`] are parts they are made of. [`chart`] and [`page`] know
//! nothing of training.

pub mod chart;
pub mod comparison;
pub mod curves;
pub mod digits;
pub mod evaluation;
pub mod page;
pub mod run;
pub mod tensorboard;

use std::path::Path;

use rayon::prelude::*;
use thiserror::Error;

use crate::files::{FileError, create_folder, write_atomically};
use chart::PictureError;

/// The page's name in its folder.
pub const FILE: &str = "report.html";

/// A report that can't be made.
#[derive(Debug, Error)]
pub enum ReportError {
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// A page and the pictures that lie beside it as files.
#[derive(Debug)]
pub struct Report {
    pub html: String,
    /// Names and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Report {
    /// Writes everything into `folder`, the page last: where it is, its pictures are.
    pub fn save(&self, folder: &Path) -> Result<(), FileError> {
        create_folder(folder)?;
        self.files
            .par_iter()
            .try_for_each(|(name, bytes)| write_atomically(&folder.join(name), bytes))?;
        write_atomically(&folder.join(FILE), self.html.as_bytes())
    }

    /// The two files of a chart.
    fn add(&mut self, name: &str, picture: &chart::Picture) {
        let svg = picture.svg.clone().into_bytes();
        self.files.push((format!("{name}.svg"), svg));
        self.files
            .push((format!("{name}.png"), picture.png.clone()));
    }
}

/// A whole number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as people say it.
fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..100 => format!("{seconds:.1} s"),
        100..6_000 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(duration(0.04), "0.0 s");
        assert_eq!(duration(18.74), "18.7 s");
        assert_eq!(duration(909.0), "15 min 9 s");
        assert_eq!(duration(7_260.0), "2 h 1 min");
    }
}
