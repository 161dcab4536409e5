//! Warnings about a run that goes on all the same: data that can't teach it much, and figures that
//! show that it learns nothing.

use super::data::TrainingData;
use super::metrics::Epoch;
use crate::dataset::CLASSES;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::terminal::{loss_text, lr_text};

/// Above this many times the loss of guessing, an epoch did harm.
const HARMFUL: f64 = 10.0;

/// What is odd about the data, or about how it divides into batches.
pub fn of_data(recipe: &Recipe, plan: &Plan, data: &TrainingData) -> Vec<String> {
    let mut warnings = Vec::new();
    let counts = counts(data, &data.train);
    let classes = &recipe.data.classes;
    let absent = (0..CLASSES).filter(|&class| counts[class] == 0);
    let absent: Vec<String> = absent.map(|class| classes.name(class)).collect();
    if !absent.is_empty() {
        warnings.push(format!(
            "among the {} images to train on there are none of the {} [{}], which the \
             network therefore can't learn",
            data.train.len(),
            classes.nouns(),
            absent.join(", ")
        ));
    }
    let image = |index: u32| data.digits.image(index as usize);
    let first = data.train.first().map(|&index| image(index));
    if data.train.iter().all(|&index| Some(image(index)) == first) {
        warnings.push("all images to train on are the same".to_string());
    }
    if data.val.is_empty() {
        warnings.push(
            "there are no validation images (`validation` in [data] is 0), so the best epoch is \
             the one with the smallest training loss"
                .to_string(),
        );
    }
    let batch_size = recipe.training.batch_size;
    if let Some(layer) = plan.single_value_norm()
        && data.train.len() % batch_size == 1
    {
        warnings.push(format!(
            "each epoch's last batch is a single image, which has no variance for layer {layer}, \
             batch_norm: the layer's output is zero there, and its statistics stay as they are. \
             A batch_size other than {batch_size} avoids that"
        ));
    }
    warnings
}

/// Watches for epochs whose training made the network far worse than a fresh one.
#[derive(Default)]
pub struct HarmfulEpoch {
    found: bool,
}

impl HarmfulEpoch {
    /// The warning about `epoch`, if it is the first such one: the others would only repeat it.
    pub fn first(&mut self, epoch: &Epoch) -> Option<String> {
        let is_harmful = epoch.train.loss > HARMFUL * guessing();
        if !is_harmful || self.found {
            return None;
        }
        self.found = true;
        Some(format!(
            "the training loss of epoch {}, {}, is far above {:.4}, that of guessing; the learning \
             rate, {}, is probably too high",
            epoch.epoch,
            loss_text(epoch.train.loss),
            guessing(),
            lr_text(epoch.lr)
        ))
    }
}

/// A best epoch that is no better than guessing.
pub fn of_result(best: &Epoch, data: &TrainingData) -> Option<String> {
    let (set, indices) = if data.val.is_empty() {
        ("training", &data.train)
    } else {
        ("validation", &data.val)
    };
    let figures = best.val.unwrap_or(best.train);
    let counts = counts(data, indices);
    let most = counts.iter().max().copied().unwrap_or(0);
    // Where there is one digit only, always answering with it is right.
    let answers_alike = figures.accuracy * indices.len() as f64 <= most as f64;
    let problem = if answers_alike && most < indices.len() {
        format!(
            "the network has learned nothing: its {set} accuracy, {:.4}, is no higher than that of \
             always answering the most frequent digit",
            figures.accuracy
        )
    } else if figures.loss >= guessing() {
        format!(
            "the network's probabilities mean nothing: its {set} loss, {}, is no lower than that \
             of guessing, {:.4}",
            loss_text(figures.loss),
            guessing()
        )
    } else {
        return None;
    };
    Some(format!(
        "{problem}. Another learning rate than {} or more epochs may help",
        lr_text(best.lr)
    ))
}

/// The loss of giving each digit the same probability; with any label smoothing, and on a
/// softmax's output, the same.
fn guessing() -> f64 {
    (CLASSES as f64).ln()
}

/// How many of the images there are of each digit.
fn counts(data: &TrainingData, indices: &[u32]) -> [usize; CLASSES] {
    let mut counts = [0; CLASSES];
    for &index in indices {
        counts[usize::from(data.digits.label(index as usize))] += 1;
    }
    counts
}
