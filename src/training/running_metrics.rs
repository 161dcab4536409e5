//! Loss and accuracy of an epoch, added up while it runs.

use serde::{Deserialize, Serialize};

use super::metrics::Figures;
use crate::engine::StepFigures;

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

    /// Mean loss and accuracy of all images so far.
    pub fn figures(&self) -> Figures {
        Figures {
            loss: self.loss_sum / self.images as f64,
            accuracy: self.correct as f64 / self.images as f64,
        }
    }
}
