//! The figures of each run and, over the seeds, of each variant: `comparison.json`,
//! `comparison.csv` and the table that `compare` prints.

use std::fmt;

use serde::Serialize;

use super::plan::Comparison;
use super::standing::{Ending, Finished};

/// The validation accuracy that the epochs of a network are counted up to.
const GOOD: f64 = 0.98;

/// All that a comparison measured. The same runs give the same table.
#[derive(Debug, Serialize)]
pub struct Table {
    pub variants: Vec<VariantFigures>,
    pub runs: Vec<RunFigures>,
}

/// Figures over the complete runs of one variant.
#[derive(Debug, Serialize)]
pub struct VariantFigures {
    /// The recipe and the values swept: `cnn-9956, optimizer.lr=0.1`.
    pub variant: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// How many runs are complete, and how many are not.
    pub runs: usize,
    pub failed: usize,
    /// The time for training and validation over all epochs.
    pub seconds: Option<Figure>,
    /// The speed of training, without validation.
    pub images_per_second: Option<Figure>,
    /// The first epoch whose validation accuracy is at least 0.98, over the runs that have one.
    pub epochs_to_98: Option<Figure>,
    /// How many runs have such an epoch.
    pub reached_98: usize,
    /// The highest validation accuracy of all epochs.
    pub val_accuracy: Option<Figure>,
    /// The test accuracy of the epoch with the smallest validation loss.
    pub test_accuracy: Option<Figure>,
}

/// What is known of one run.
#[derive(Debug, Serialize)]
pub struct RunFigures {
    /// The name of its folder.
    pub run: String,
    pub variant: String,
    pub seed: u64,
    /// Why there are no figures.
    pub error: Option<String>,
    /// Flat in the JSON; null for a run without them.
    #[serde(flatten)]
    pub measured: Option<Measured>,
}

/// The figures of a complete run.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub seconds: f64,
    pub images_per_second: f64,
    pub epochs: usize,
    pub epochs_to_98: Option<u64>,
    pub best_epoch: u64,
    pub val_accuracy: Option<f64>,
    pub test_accuracy: f64,
    pub test_errors: u64,
    pub backend: String,
    pub threads: usize,
}

/// A figure over the seeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figure {
    pub mean: f64,
    pub min: f64,
    pub max: f64,
}

impl Figure {
    /// The figure of `values`; `None` when there are none.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let (first, rest) = values.split_first()?;
        Some(Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            min: rest.iter().fold(*first, |a, b| a.min(*b)),
            max: rest.iter().fold(*first, |a, b| a.max(*b)),
        })
    }

    /// The difference between the largest and the smallest value.
    pub fn range(&self) -> f64 {
        self.max - self.min
    }
}

impl Measured {
    fn of(finished: &Finished) -> Self {
        let Finished { summary, log } = finished;
        let accuracies = || {
            log.iter()
                .filter_map(|line| Some((line, line.epoch.val?.accuracy)))
        };
        let good = accuracies().find(|(_, accuracy)| *accuracy >= GOOD);
        let speeds = log.iter().map(|line| line.images_per_second);
        Self {
            seconds: summary.seconds,
            images_per_second: median(speeds.filter(|speed| *speed > 0.0).collect()),
            epochs: summary.epochs,
            epochs_to_98: good.map(|(line, _)| line.epoch.epoch),
            best_epoch: summary.best_epoch,
            val_accuracy: Figure::of(accuracies().map(|(_, accuracy)| accuracy))
                .map(|figure| figure.max),
            test_accuracy: summary.test.accuracy,
            test_errors: summary.test.errors,
            backend: summary.backend.clone(),
            threads: summary.threads,
        }
    }
}

/// The epoch in the middle: one that something else on the machine slowed down doesn't count.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[half],
        _ => (values[half - 1] + values[half]) / 2.0,
    }
}

impl Table {
    /// The figures of a comparison's runs, whose endings are in the same order.
    pub fn new(comparison: &Comparison, endings: &[Ending]) -> Self {
        let runs: Vec<RunFigures> = comparison
            .runs
            .iter()
            .zip(endings)
            .map(|(run, ending)| {
                let (error, measured) = match ending {
                    Ending::Complete(finished) => (None, Some(Measured::of(finished))),
                    Ending::Failed(reason) => (Some(reason.clone()), None),
                    Ending::Interrupted => (Some("it was interrupted".into()), None),
                };
                RunFigures {
                    run: run.name.clone(),
                    variant: comparison.variants[run.variant].label.clone(),
                    seed: run.seed,
                    error,
                    measured,
                }
            })
            .collect();
        let variants = comparison.variants.iter().enumerate();
        let variants = variants
            .map(|(index, variant)| {
                let all = comparison.runs.iter().zip(&runs);
                let all = all.filter(|(run, _)| run.variant == index);
                let complete: Vec<&Measured> = all
                    .clone()
                    .filter_map(|(_, figures)| figures.measured.as_ref())
                    .collect();
                let figure = |value: &dyn Fn(&Measured) -> Option<f64>| {
                    Figure::of(complete.iter().filter_map(|run| value(run)))
                };
                VariantFigures {
                    variant: variant.label.clone(),
                    parameters: variant.parameters,
                    runs: complete.len(),
                    failed: all.count() - complete.len(),
                    seconds: figure(&|run| Some(run.seconds)),
                    images_per_second: figure(&|run| Some(run.images_per_second)),
                    epochs_to_98: figure(&|run| run.epochs_to_98.map(|epoch| epoch as f64)),
                    reached_98: complete
                        .iter()
                        .filter(|run| run.epochs_to_98.is_some())
                        .count(),
                    val_accuracy: figure(&|run| run.val_accuracy),
                    test_accuracy: figure(&|run| Some(run.test_accuracy)),
                }
            })
            .collect();
        Self { variants, runs }
    }

    /// The runs that are not complete, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&RunFigures, &str)> {
        self.runs
            .iter()
            .filter_map(|run| Some((run, run.error.as_deref()?)))
    }

    /// The columns' headers, as [`VariantFigures::cells`] fills them.
    pub fn headers(&self) -> [&'static str; 7] {
        [
            "variant",
            "parameters",
            "test accuracy",
            "best val accuracy",
            "epochs to 98 %",
            "seconds",
            "images/s",
        ]
    }

    /// What the cells hold when there is more than one seed.
    pub fn note(&self) -> Option<&'static str> {
        let several = self.variants.iter().any(|variant| variant.runs > 1);
        several.then_some("Means over the seeds; in brackets, largest minus smallest.")
    }

    /// One line a variant, with the mean, smallest and largest of each figure.
    pub fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header = vec!["variant".to_string(), "parameters".into(), "runs".into()];
        header.push("failed".into());
        for figure in FIGURES {
            for part in ["mean", "min", "max"] {
                header.push(format!("{figure}_{part}"));
            }
        }
        header.push("reached_98".into());
        writer.write_record(&header)?;
        for variant in &self.variants {
            let mut record = vec![
                variant.variant.clone(),
                variant.parameters.to_string(),
                variant.runs.to_string(),
                variant.failed.to_string(),
            ];
            for figure in variant.figures() {
                let parts = figure.map(|figure| [figure.mean, figure.min, figure.max]);
                match parts {
                    Some(parts) => record.extend(parts.map(|part| part.to_string())),
                    None => record.extend([const { String::new() }; 3]),
                }
            }
            record.push(variant.reached_98.to_string());
            writer.write_record(&record)?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
    }
}

/// The names of [`VariantFigures::figures`].
const FIGURES: [&str; 5] = [
    "seconds",
    "images_per_second",
    "epochs_to_98",
    "val_accuracy",
    "test_accuracy",
];

impl VariantFigures {
    fn figures(&self) -> [Option<Figure>; 5] {
        [
            self.seconds,
            self.images_per_second,
            self.epochs_to_98,
            self.val_accuracy,
            self.test_accuracy,
        ]
    }

    /// What stands in the table's columns.
    pub fn cells(&self) -> [String; 7] {
        let cell = |figure: Option<Figure>, digits: usize| match figure {
            None => "-".to_string(),
            Some(figure) if self.runs == 1 => format!("{:.digits$}", figure.mean),
            Some(figure) => format!("{:.digits$} ({:.digits$})", figure.mean, figure.range()),
        };
        let short = self.seconds.is_some_and(|seconds| seconds.mean < 10.0);
        let epochs = match self.epochs_to_98 {
            Some(figure) if self.reached_98 < self.runs => {
                format!("{:.1}, {} of {}", figure.mean, self.reached_98, self.runs)
            }
            figure => cell(figure, usize::from(self.runs > 1)),
        };
        [
            self.variant.clone(),
            self.parameters.to_string(),
            cell(self.test_accuracy, 4),
            cell(self.val_accuracy, 4),
            epochs,
            cell(self.seconds, if short { 2 } else { 1 }),
            cell(self.images_per_second, 0),
        ]
    }
}

/// The table in columns for the terminal, then the runs that failed.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![self.headers().map(String::from)];
        lines.extend(self.variants.iter().map(VariantFigures::cells));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..7).map(|column| width(column).unwrap_or(0)).collect();
        for line in &lines {
            write!(f, "{:<width$}", line[0], width = widths[0])?;
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        if let Some(note) = self.note() {
            writeln!(f, "{note}")?;
        }
        let mut failures = self.failures().peekable();
        if failures.peek().is_some() {
            writeln!(f, "\nNot complete:")?;
        }
        for (run, reason) in failures {
            writeln!(f, "  {}, seed {}: {reason}", run.variant, run.seed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_hold_mean_and_range() {
        let figure = Figure::of([0.5, 0.2, 0.8].into_iter()).unwrap();
        assert_eq!((figure.mean, figure.min, figure.max), (0.5, 0.2, 0.8));
        assert!((figure.range() - 0.6).abs() < 1e-12);
        assert_eq!(Figure::of(std::iter::empty()), None);
    }

    #[test]
    fn the_median_ignores_one_slow_epoch() {
        assert_eq!(median(vec![100.0, 1.0, 102.0]), 100.0);
        assert_eq!(median(vec![4.0, 2.0]), 3.0);
        assert_eq!(median(vec![]), 0.0);
    }
}
