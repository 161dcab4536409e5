//! Measuring networks: predictions, ensembles, confusion matrix and what follows from it.

mod ensemble;
mod metrics;

use burn::tensor::{Device, Tensor};

use crate::dataset::Digits;
use crate::network::Network;
use crate::training::Batcher;

pub use ensemble::{Ensemble, Evaluation, NotANumber, Prediction};
pub use metrics::{ClassFigures, Confusion};

/// Large enough to keep the cores busy, small enough to stay in the caches.
const BATCH: usize = 500;

/// Logits `[batch, classes]` as row-major host values, off the autodiff graph.
pub fn to_host(logits: &Tensor<2>) -> Vec<f32> {
    let data = logits.clone().without_autodiff().into_data();
    data.try_into_vec()
        .expect("networks are f32 on every backend")
}

/// Runs `network` over the images of `digits` at the given indices and hands each batch's
/// logits (row-major) and labels to `each`, in order.
pub fn for_each_batch(
    network: &Network,
    batcher: &Batcher,
    (digits, indices): (&Digits, &[u32]),
    device: &Device,
    mut each: impl FnMut(&[f32], &[u8]),
) {
    for indices in indices.chunks(BATCH) {
        let (images, labels) = batcher.gather(digits, indices, device);
        each(&to_host(&network.forward(images)), &labels);
    }
}
