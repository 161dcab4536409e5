//! The report of `eval`: what networks make of labelled digits.

use super::chart::{MatrixChart, draw};
use super::page::{Page, Table};
use super::{Report, ReportError, digits, grouped};
use crate::dataset::Digits;
use crate::evaluation::{Confusion, Evaluation};

/// What `eval` measured, and on what.
pub struct EvaluationReport<'a> {
    /// The networks that answered, by the paths of their checkpoints.
    pub checkpoints: Vec<String>,
    pub dataset: &'a str,
    /// `test`, `val` or `train`.
    pub split: &'a str,
    pub evaluation: &'a Evaluation,
    pub digits: &'a Digits,
}

impl EvaluationReport<'_> {
    /// The page, with `confusion.svg`, `confusion.png` and `wrong.png`.
    pub fn make(&self) -> Result<Report, ReportError> {
        let confusion = &self.evaluation.confusion;
        let mut page = Page::new("Evaluation");
        page.paragraph(&match &self.checkpoints[..] {
            [one] => format!("Of {one}."),
            several => format!(
                "Of {} networks whose probabilities are averaged: {}.",
                several.len(),
                several.join(", ")
            ),
        });
        page.figures(&[
            ("Accuracy", format!("{:.4}", confusion.accuracy())),
            ("Errors", grouped(confusion.errors())),
            ("Images", grouped(confusion.images())),
            ("Loss", format!("{:.4}", self.evaluation.loss)),
            ("Split", self.split.to_string()),
            ("Data", self.dataset.to_string()),
        ]);
        let mut report = Report {
            html: String::new(),
            files: Vec::new(),
        };
        let title = format!("Confusion matrix ({} images)", self.split);
        answers(&mut page, &mut report, &title, self.evaluation, self.digits)?;
        report.html = page.html();
        Ok(report)
    }
}

/// The part that all reports with answers have: the confusion matrix, the figures of each class
/// and the surest mistakes.
pub(super) fn answers(
    page: &mut Page,
    report: &mut Report,
    title: &str,
    evaluation: &Evaluation,
    images: &Digits,
) -> Result<(), ReportError> {
    let confusion = &evaluation.confusion;
    page.heading("Which digits were taken for which");
    let matrix = draw(&MatrixChart {
        title: title.to_string(),
        counts: *confusion.counts(),
    })?;
    let caption = "Right answers are blue, wrong ones orange; the stronger the colour, the more \
                   often, on a logarithmic scale.";
    page.chart_and_table((&matrix, caption), &per_class(confusion));
    report.add("confusion", &matrix);

    page.heading("The surest mistakes");
    let thumbnails = digits::wrong(&evaluation.wrong, images);
    if thumbnails.is_empty() {
        page.paragraph("There are none: every answer is right.");
        return Ok(());
    }
    page.paragraph(&match evaluation.wrong.len() {
        all if all <= digits::WRONG => {
            "All wrong answers: true → predicted digit, and how sure the network was.".to_string()
        }
        all => format!(
            "The {} of {} wrong answers that the network was surest of: true → predicted digit, \
             and its probability.",
            thumbnails.len(),
            grouped(all as u64)
        ),
    });
    page.gallery(&thumbnails)?;
    let picture = digits::gallery(&thumbnails).png()?;
    report.files.push(("wrong.png".to_string(), picture));
    Ok(())
}

fn per_class(confusion: &Confusion) -> Table {
    let columns = [
        "#Digit",
        "#Precision",
        "#Recall",
        "#F1",
        "#Images",
        "#Errors",
    ];
    let row = |class: crate::evaluation::ClassFigures| {
        let right = confusion.counts()[class.digit][class.digit];
        vec![
            class.digit.to_string(),
            format!("{:.4}", class.precision),
            format!("{:.4}", class.recall),
            format!("{:.4}", class.f1),
            grouped(class.images),
            grouped(class.images - right),
        ]
    };
    Table {
        columns: columns.map(str::to_string).to_vec(),
        rows: confusion.per_class().into_iter().map(row).collect(),
    }
}
