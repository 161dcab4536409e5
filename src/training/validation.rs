//! Measuring a network on the validation images.

use super::data::TrainingData;
use super::metrics::Figures;
use super::running_metrics::RunningMetrics;
use crate::engine::{Criterion, Engine, StepFigures};

/// How many images pass a network at a time when it only answers: enough to keep the cores busy,
/// few enough for their activations to stay in the caches.
pub const INFERENCE_BATCH: usize = 500;

/// Loss and accuracy on the validation images; `None` where there are none.
pub fn validate(engine: &dyn Engine, criterion: Criterion, data: &TrainingData) -> Option<Figures> {
    if data.val.is_empty() {
        return None;
    }
    let mut answers = StepFigures::default();
    for indices in data.val.chunks(INFERENCE_BATCH) {
        let (images, labels) = data.digits.select(indices);
        answers.add_logits(criterion, &engine.logits(&images), &labels);
    }
    let mut metrics = RunningMetrics::default();
    metrics.add_step(&answers);
    Some(metrics.figures())
}
