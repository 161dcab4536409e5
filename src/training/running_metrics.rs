//! Loss and accuracy of an epoch, added up while it runs.

use serde::{Deserialize, Serialize};

use super::metrics::Figures;
use crate::engine::loss::{argmax, loss_of};
use crate::engine::{Criterion, StepFigures};

/// Loss and right answers, added up over images.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningMetrics {
    pub images: u64,
    pub correct: u64,
    pub loss_sum: f64,
}

impl RunningMetrics {
    /// Adds one training step.
    pub fn add_step(&mut self, step: &StepFigures) {
        self.images += step.images;
        self.correct += step.correct;
        self.loss_sum += step.loss_sum;
    }

    /// Adds a batch of answers: `logits` row-major `[batch, classes]`.
    pub fn add_logits(&mut self, criterion: Criterion, logits: &[f32], targets: &[u8]) {
        let classes = logits.len() / targets.len().max(1);
        for (row, &target) in logits.chunks_exact(classes.max(1)).zip(targets) {
            self.loss_sum += loss_of(criterion, row, usize::from(target));
            self.correct += u64::from(argmax(row) == usize::from(target));
        }
        self.images += targets.len() as u64;
    }

    /// Mean loss and accuracy of all images so far.
    pub fn figures(&self) -> Figures {
        Figures {
            loss: self.loss_sum / self.images as f64,
            accuracy: self.correct as f64 / self.images as f64,
        }
    }
}
