//! The report of a run: everything its folder knows, on one page.

use super::chart::{LineChart, Picture, PictureError, draw};
use super::evaluation::Answers;
use super::page::Page;
use super::{Report, ReportError, curves, digits, duration, grouped};
use crate::dataset::Digits;
use crate::evaluation::Evaluation;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::terminal::lr_text;
use crate::training::{LogLine, Summary, TrainingData};
use rayon::prelude::*;

/// What is known of a run. The same run makes the same report, byte for byte.
pub struct RunReport<'a> {
    pub recipe: &'a Recipe,
    pub plan: &'a Plan,
    /// The epochs so far.
    pub log: &'a [LogLine],
    /// `None` until the run is finished.
    pub summary: Option<&'a Summary>,
    /// What the best network makes of the test images; only for a finished run, which has looked at
    /// them anyway.
    pub test: Option<(&'a Evaluation, &'a Digits)>,
    /// `None` if the training images can't be loaded.
    pub training: Option<&'a TrainingData>,
    /// The commands that repeat the run.
    pub commands: &'a str,
}

impl RunReport<'_> {
    /// The page, with its curves, its matrix and its digits as files.
    pub fn make(&self) -> Result<Report, ReportError> {
        let mut report = Report {
            html: String::new(),
            files: Vec::new(),
        };
        let mut page = Page::new(&self.recipe.name);
        self.headline(&mut page);
        self.curves(&mut page, &mut report)?;
        if let Some((evaluation, images)) = self.test {
            let title = format!("{}: test images", self.recipe.name);
            let answers = Answers {
                title: &title,
                evaluation,
                digits: images,
                classes: &self.recipe.data.classes,
            };
            answers.add(&mut page, &mut report)?;
        }
        self.training_images(&mut page, &mut report)?;
        page.heading("Recipe");
        page.code(&self.recipe.to_toml());
        self.reproduce(&mut page);
        report.html = page.html();
        Ok(report)
    }

    fn headline(&self, page: &mut Page) {
        let epochs = self.recipe.training.epochs;
        let parameters = ("Parameters", grouped(self.plan.parameter_count() as u64));
        let seed = ("Seed", self.recipe.training.seed.to_string());
        let speed = ("Training images/s", self.images_per_second());
        let seconds: f64 = self.log.iter().map(|line| line.seconds).sum();
        let Some(summary) = self.summary else {
            page.notice(&format!(
                "This run is not finished: {} of {epochs} epochs are done. Its test images have \
                 not been looked at.",
                self.log.len()
            ));
            page.figures(&[
                ("Epochs", format!("{} of {epochs}", self.log.len())),
                ("Best validation accuracy", self.best_val_accuracy()),
                parameters,
                ("Time so far", duration(seconds)),
                speed,
                seed,
            ]);
            return;
        };
        let test = &summary.test;
        page.figures(&[
            ("Test accuracy", format!("{:.4}", test.accuracy)),
            (
                "Test errors",
                format!(
                    "{} in {} images",
                    grouped(test.errors),
                    grouped(test.images)
                ),
            ),
            (
                "Validation accuracy",
                match &summary.val {
                    Some(val) => format!("{:.4}", val.accuracy),
                    None => "no validation images".to_string(),
                },
            ),
            (
                "Best epoch",
                format!("{} of {}", summary.best_epoch, summary.epochs),
            ),
            parameters,
            ("Training time", duration(summary.seconds)),
            speed,
            ("Backend", summary.backend.clone()),
            ("Threads", summary.threads.to_string()),
            ("Images to train on", grouped(summary.train_images as u64)),
            ("Images to validate on", grouped(summary.val_images as u64)),
            ("Data", summary.dataset.clone()),
            seed,
        ]);
    }

    /// Over all epochs; an epoch whose speed is not known doesn't count.
    fn images_per_second(&self) -> String {
        let known = self.log.iter().map(|line| line.images_per_second);
        let known: Vec<f64> = known.filter(|&speed| speed > 0.0).collect();
        // All epochs have the same images, so the mean of the times is what counts.
        let times: f64 = known.iter().map(|speed| 1.0 / speed).sum();
        if known.is_empty() {
            "–".to_string()
        } else {
            grouped((known.len() as f64 / times).round() as u64)
        }
    }

    fn best_val_accuracy(&self) -> String {
        let vals = self.log.iter().filter_map(|line| line.epoch.val.as_ref());
        let best = vals.map(|val| val.accuracy).max_by(f64::total_cmp);
        best.map_or("–".to_string(), |accuracy| format!("{accuracy:.4}"))
    }

    fn curves(&self, page: &mut Page, report: &mut Report) -> Result<(), ReportError> {
        page.heading("Curves");
        if self.log.is_empty() {
            page.paragraph("No epoch has ended yet.");
            return Ok(());
        }
        let name = &self.recipe.name;
        let charts: [(&str, LineChart, String); 3] = [
            ("loss", curves::loss(name, self.log), self.loss_caption()),
            (
                "accuracy",
                curves::accuracy(name, self.log),
                "Spaced so that halving the errors is always the same distance. While training, \
                 each batch is measured before the network learns from it."
                    .to_string(),
            ),
            (
                "lr",
                curves::learning_rate(name, self.log),
                self.rate_caption(),
            ),
        ];
        let pictures: Vec<Picture> = charts
            .par_iter()
            .map(|(_, chart, _)| draw(chart))
            .collect::<Result<_, PictureError>>()?;
        let captions = charts.iter().map(|(_, _, caption)| caption.as_str());
        page.charts(pictures.iter().zip(captions));
        for ((name, _, _), picture) in charts.iter().zip(&pictures) {
            report.add(name, picture);
        }
        Ok(())
    }

    fn loss_caption(&self) -> String {
        let best = match self.summary {
            Some(summary) if summary.val.is_some() => format!(
                "The network kept is that of epoch {}, with the smallest validation loss. ",
                summary.best_epoch
            ),
            Some(summary) => format!(
                "The network kept is that of epoch {}, with the smallest training loss. ",
                summary.best_epoch
            ),
            None => String::new(),
        };
        let drops = if curves::drops(self.log).is_empty() {
            ""
        } else {
            "Vertical lines, in all three: the learning rate was lowered."
        };
        format!("{best}{drops}").trim_end().to_string()
    }

    fn rate_caption(&self) -> String {
        match &curves::drops(self.log)[..] {
            [] => "Of the first batch of each epoch.".to_string(),
            drops => {
                let drop = |(epoch, rate): &(u64, f64)| {
                    format!("to {} after epoch {epoch}", lr_text(*rate))
                };
                let drops: Vec<String> = drops.iter().map(drop).collect();
                format!("Lowered {}.", drops.join(", "))
            }
        }
    }

    fn training_images(&self, page: &mut Page, report: &mut Report) -> Result<(), ReportError> {
        page.heading("Training images");
        let Some(data) = self.training else {
            page.paragraph("The training images were not found; name their folder with --data.");
            return Ok(());
        };
        let thumbnails = digits::training(self.recipe, data);
        page.paragraph(&format!(
            "The first {} of the first epoch with their labels, {}.",
            thumbnails.len(),
            if self.recipe.augment.is_empty() {
                "as they are: this recipe augments nothing"
            } else {
                "augmented just as the network saw them"
            }
        ));
        page.gallery(&thumbnails)?;
        let picture = digits::gallery(&thumbnails).png()?;
        report.files.push(("augmented.png".to_string(), picture));
        Ok(())
    }

    fn reproduce(&self, page: &mut Page) {
        page.heading("How to reproduce");
        page.paragraph(&format!(
            "With mnistctl {}; RUN is the folder of this page.",
            env!("CARGO_PKG_VERSION")
        ));
        page.code(self.commands);
        let sha256 = self.training.map(|data| data.sha256.as_str());
        if let Some(sha256) = sha256.or(self.summary.map(|summary| summary.sha256.as_str())) {
            page.paragraph("The sha256 of the training images, uncompressed:");
            page.code(sha256);
        }
    }
}
