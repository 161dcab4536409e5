//! Measuring networks: predictions, ensembles, confusion matrix and what follows from it.

mod ensemble;
mod metrics;

use crate::training::INFERENCE_BATCH;

pub use ensemble::{Ensemble, Evaluation, Mistake, NotANumber, Prediction};
pub use metrics::{ClassFigures, Confusion};

/// How many images pass a network at a time.
pub const BATCH: usize = INFERENCE_BATCH;
