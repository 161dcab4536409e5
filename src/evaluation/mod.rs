//! Measuring networks: predictions, ensembles, confusion matrix and what follows from it.

mod ensemble;
mod metrics;

use crate::dataset::Digits;

pub use ensemble::{EMBEDDED_NAME, Ensemble, Evaluation, Mistake, NotANumber, Prediction};
pub use metrics::{ClassFigures, Confusion};

/// Large enough to keep the cores busy, small enough to stay in the caches.
pub const BATCH: usize = 500;

/// Runs the images of `digits` at the given indices through a network, in batches, and hands each
/// batch's logits (row-major) and labels to `each`, in order.
pub fn for_each_batch(
    logits: impl Fn(&[&[u8]]) -> Vec<f32>,
    (digits, indices): (&Digits, &[u32]),
    mut each: impl FnMut(&[f32], &[u8]),
) {
    for indices in indices.chunks(BATCH) {
        let (images, labels) = digits.select(indices);
        each(&logits(&images), &labels);
    }
}
