//! Trained networks at work: predictions, ensembles, what pictures show, confusion matrix and what
//! follows from it.

mod ensemble;
mod metrics;
mod pictures;

use crate::training::INFERENCE_BATCH;

pub use ensemble::{Ensemble, Evaluation, Mistake, NotANumber, Prediction};
pub use metrics::{ClassFigures, Confusion};
pub use pictures::{Answer, Found, Line, Seen, Way};

/// How many images pass a network at a time.
pub const BATCH: usize = INFERENCE_BATCH;
