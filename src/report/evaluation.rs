//! The report of `eval`: what networks make of labelled digits.

use super::chart::{MatrixChart, draw};
use super::page::{Page, Table};
use super::{Report, ReportError, digits, grouped};
use crate::dataset::{Classes, Digits};
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
    pub classes: &'a Classes,
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
        let answers_of = Answers {
            title: &title,
            evaluation: self.evaluation,
            digits: self.digits,
            classes: self.classes,
        };
        answers_of.add(&mut page, &mut report)?;
        report.html = page.html();
        Ok(report)
    }
}

/// The part that all reports with answers have: the confusion matrix, the figures of each class
/// and the surest mistakes.
pub(super) struct Answers<'a> {
    /// Stands above the matrix.
    pub title: &'a str,
    pub evaluation: &'a Evaluation,
    pub digits: &'a Digits,
    pub classes: &'a Classes,
}

impl Answers<'_> {
    pub fn add(&self, page: &mut Page, report: &mut Report) -> Result<(), ReportError> {
        let confusion = &self.evaluation.confusion;
        let (noun, nouns) = (self.classes.noun(), self.classes.nouns());
        page.heading(&format!("Which {nouns} were taken for which"));
        let matrix = draw(&MatrixChart {
            title: self.title.to_string(),
            counts: *confusion.counts(),
            classes: self.classes.clone(),
        })?;
        let caption = "Right answers are blue, wrong ones orange; the stronger the colour, the \
                       more often, on a logarithmic scale.";
        page.chart_and_table((&matrix, caption), &per_class(confusion, self.classes));
        report.add("confusion", &matrix);

        page.heading("The surest mistakes");
        let wrong = &self.evaluation.wrong;
        let thumbnails = digits::wrong(wrong, self.digits, self.classes);
        if thumbnails.is_empty() {
            page.paragraph("There are none: every answer is right.");
            return Ok(());
        }
        page.paragraph(&match wrong.len() {
            all if all <= digits::WRONG => {
                format!("All wrong answers: true → predicted {noun}, and how sure the network was.")
            }
            all => format!(
                "The {} of {} wrong answers that the network was surest of: true → predicted \
                 {noun}, and its probability.",
                thumbnails.len(),
                grouped(all as u64)
            ),
        });
        page.gallery(&thumbnails)?;
        let picture = digits::gallery(&thumbnails).png()?;
        report.files.push(("wrong.png".to_string(), picture));
        Ok(())
    }
}

fn per_class(confusion: &Confusion, classes: &Classes) -> Table {
    let columns = [
        if classes.are_named() {
            "Class"
        } else {
            "#Digit"
        },
        "#Precision",
        "#Recall",
        "#F1",
        "#Images",
        "#Errors",
    ];
    let row = |class: crate::evaluation::ClassFigures| {
        let right = confusion.counts()[class.digit][class.digit];
        vec![
            classes.name(class.digit),
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
