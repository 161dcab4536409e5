//! `comparison.html`, and its charts as SVG and PNG files beside it.

use std::path::PathBuf;

use super::chart::{LineChart, Picture, Scale, ScatterChart, ScatterPoint, Series, draw};
use super::page::{self, Page};
use super::{FILE, ReportError};
use crate::comparison::{Comparison, Ending, Figure, PlannedRun, Table, VariantFigures};
use crate::files::write_atomically;
use crate::training::{Epoch, LogLine};

/// Everything that the page shows.
#[derive(Debug)]
pub struct ComparisonReport<'a> {
    pub comparison: &'a Comparison,
    /// One for each run.
    pub endings: &'a [Ending],
    pub table: &'a Table,
    pub findings: &'a [String],
    /// Where the digits came from.
    pub source: &'a str,
    /// What the user typed.
    pub command: &'a str,
}

/// A figure of one epoch; `None` where it wasn't measured.
type Value = fn(&Epoch) -> Option<f64>;

/// Charts of curves: the file's name, the title, what the y axis shows and how, and what is drawn.
const CURVES: [(&str, &str, &str, Scale, Value); 4] = {
    use Scale::{Accuracy, Log};
    [
        (
            "val-accuracy",
            "Validation accuracy",
            "accuracy",
            Accuracy,
            |epoch| Some(epoch.val?.accuracy),
        ),
        ("val-loss", "Validation loss", "loss", Log, |epoch| {
            Some(epoch.val?.loss)
        }),
        (
            "train-accuracy",
            "Training accuracy",
            "accuracy",
            Accuracy,
            |epoch| Some(epoch.train.accuracy),
        ),
        ("train-loss", "Training loss", "loss", Log, |epoch| {
            Some(epoch.train.loss)
        }),
    ]
};

/// Writes the page and its charts into the comparison's folder, and returns the page's path.
pub fn write_report(report: &ComparisonReport<'_>) -> Result<PathBuf, ReportError> {
    let out = &report.comparison.out;
    let mut curves = Vec::new();
    for (name, title, y_label, scale, value) in CURVES {
        let series = report.series(value);
        if !series.is_empty() {
            let picture = draw(&LineChart {
                title: title.to_string(),
                x_label: "epoch".to_string(),
                y_label: y_label.to_string(),
                y_scale: scale,
                series,
                markers: Vec::new(),
            })?;
            picture.save(out, name)?;
            curves.push(picture);
        }
    }
    let against_parameters =
        report.scatter("parameters", |variant| Some(variant.parameters as f64));
    let against_seconds = report.scatter("training seconds", |variant| Some(variant.seconds?.mean));
    let mut prices = Vec::new();
    for (name, chart) in [
        ("accuracy-parameters", against_parameters),
        ("accuracy-seconds", against_seconds),
    ] {
        if !chart.points.is_empty() {
            let picture = draw(&chart)?;
            picture.save(out, name)?;
            prices.push(picture);
        }
    }
    let path = out.join("comparison.html");
    write_atomically(&path, report.page(&curves, &prices).html().as_bytes())?;
    Ok(path)
}

impl ComparisonReport<'_> {
    fn page(&self, curves: &[Picture], prices: &[Picture]) -> Page {
        let variants = &self.table.variants;
        let mut page = Page::new(&format!("Comparison of {} variants", variants.len()));
        let complete: usize = variants.iter().map(|variant| variant.runs).sum();
        let mut figures = vec![
            ("runs", format!("{complete} of {}", self.table.runs.len())),
            ("dataset", self.source.to_string()),
        ];
        let best = variants
            .iter()
            .filter_map(|variant| Some((variant.test_accuracy?.mean, variant)));
        if let Some((accuracy, variant)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
            figures.push(("highest test accuracy", format!("{accuracy:.4}")));
            figures.push(("reached by", variant.variant.clone()));
        }
        page.figures(&figures);
        for (run, reason) in self.table.failures() {
            page.notice(&format!(
                "{}, seed {} is not complete: {reason}",
                run.variant, run.seed
            ));
        }
        if !self.findings.is_empty() {
            page.heading("What the runs show");
            page.list(self.findings);
        }
        page.heading("Figures");
        page.table(&table(self.table));
        if let Some(note) = self.table.note() {
            page.paragraph(note);
        }
        if !curves.is_empty() {
            page.heading("Curves");
            let caption = match self.table.note() {
                Some(_) => "Means over the seeds.",
                None => "",
            };
            page.charts(curves.iter().map(|picture| (picture, caption)));
        }
        if !prices.is_empty() {
            page.heading("What accuracy costs");
            let caption = match self.table.note() {
                Some(_) => "Bars are the range over the seeds.",
                None => "",
            };
            page.charts(prices.iter().map(|picture| (picture, caption)));
        }
        page.heading("Runs");
        page.table(&runs(self.table));
        let links = self.reports();
        if !links.is_empty() {
            page.paragraph("The report of each run:");
            page.links(&links);
        }
        page.heading("How to repeat it");
        page.paragraph(
            "The same command skips the runs that are complete; with another --out it trains them \
             all again. Each run's folder has its own recipe.toml and summary.json.",
        );
        page.code(self.command);
        page
    }

    /// The pages of the runs that have one.
    fn reports(&self) -> Vec<(String, String)> {
        let runs = self.comparison.runs.iter();
        let with_report = runs.filter(|run| run.folder.join(FILE).exists());
        let link = |run: &PlannedRun| (self.comparison.title(run), format!("{}/{FILE}", run.name));
        with_report.map(link).collect()
    }

    /// A curve for each variant that has one.
    fn series(&self, value: Value) -> Vec<Series> {
        let variants = self.comparison.variants.iter().enumerate();
        let series = variants.map(|(index, variant)| Series {
            name: variant.label.clone(),
            points: mean_curve(&self.logs(index), value),
            dash: None,
        });
        // One without points stays: the others keep their colours in every chart.
        let series: Vec<Series> = series.collect();
        if series.iter().all(|series| series.points.is_empty()) {
            Vec::new()
        } else {
            series
        }
    }

    /// The logs of a variant's complete runs.
    fn logs(&self, variant: usize) -> Vec<&[LogLine]> {
        let runs = self.comparison.runs.iter().zip(self.endings);
        let complete = runs.filter_map(|(run, ending)| match ending {
            Ending::Complete(finished) if run.variant == variant => Some(finished.log.as_slice()),
            _ => None,
        });
        complete.collect()
    }

    fn scatter(&self, x_label: &str, x: fn(&VariantFigures) -> Option<f64>) -> ScatterChart {
        let point = |variant: &VariantFigures| {
            let accuracy = variant.test_accuracy?;
            Some(ScatterPoint {
                name: variant.variant.clone(),
                x: x(variant)?,
                y: accuracy.mean,
                y_range: (variant.runs > 1).then_some((accuracy.min, accuracy.max)),
            })
        };
        ScatterChart {
            title: format!("Test accuracy against {x_label}"),
            x_label: x_label.to_string(),
            x_scale: Scale::Log,
            y_label: "accuracy".to_string(),
            y_scale: Scale::Accuracy,
            points: self.table.variants.iter().filter_map(point).collect(),
        }
    }
}

/// The mean over several logs, epoch by epoch, as far as all of them go.
fn mean_curve(logs: &[&[LogLine]], value: Value) -> Vec<(f64, f64)> {
    let epochs = logs.iter().map(|log| log.len()).min().unwrap_or(0);
    let point = |index: usize| {
        let values = logs.iter().filter_map(|log| value(&log[index].epoch));
        Some((index as f64 + 1.0, Figure::of(values)?.mean))
    };
    (0..epochs).filter_map(point).collect()
}

fn table(table: &Table) -> page::Table {
    let [first, numbers @ ..] = table.headers();
    let mut columns = vec![first.to_string()];
    columns.extend(numbers.iter().map(|name| format!("#{name}")));
    let rows = table
        .variants
        .iter()
        .map(|variant| variant.cells().to_vec());
    page::Table {
        columns,
        rows: rows.collect(),
    }
}

fn runs(table: &Table) -> page::Table {
    let columns = [
        "folder",
        "#epochs",
        "#best epoch",
        "#seconds",
        "#images/s",
        "#best val accuracy",
        "#test accuracy",
        "#test errors",
    ];
    let rows = table.runs.iter().map(|run| {
        let mut row = vec![run.run.clone()];
        match &run.measured {
            Some(measured) => row.extend([
                measured.epochs.to_string(),
                measured.best_epoch.to_string(),
                format!("{:.1}", measured.seconds),
                format!("{:.0}", measured.images_per_second),
                measured
                    .val_accuracy
                    .map_or("-".into(), |accuracy| format!("{accuracy:.4}")),
                format!("{:.4}", measured.test_accuracy),
                measured.test_errors.to_string(),
            ]),
            None => row.extend(["-"; 7].map(String::from)),
        }
        row
    });
    page::Table {
        columns: columns.map(String::from).to_vec(),
        rows: rows.collect(),
    }
}
