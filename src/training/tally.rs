//! Loss and right answers, added up.

use super::loss::{argmax, loss_of};
use crate::recipe::Criterion;

/// Loss and correct answers, added up image by image.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    pub images: u64,
    pub correct: u64,
    pub loss_sum: f64,
}

impl Tally {
    /// Adds a batch: `logits` row-major `[batch, classes]`.
    pub fn add(&mut self, criterion: Criterion, logits: &[f32], targets: &[u8]) {
        let classes = logits.len() / targets.len().max(1);
        for (row, &target) in logits.chunks_exact(classes.max(1)).zip(targets) {
            self.loss_sum += loss_of(criterion, row, usize::from(target));
            self.correct += u64::from(argmax(row) == usize::from(target));
        }
        self.images += targets.len() as u64;
    }

    /// Adds another one's images.
    pub fn merge(&mut self, other: &Tally) {
        self.images += other.images;
        self.correct += other.correct;
        self.loss_sum += other.loss_sum;
    }

    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }

    /// The fraction that was right.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}
