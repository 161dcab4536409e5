//! What a checkpoint holds, once it is read and checked.

use crate::network::NamedTensor;
use crate::optimizer::OptimizerState;
use crate::recipe::Recipe;
use crate::training::computed_by::ComputedBy;
use crate::training::metrics::Epoch;
use crate::training::running_metrics::RunningMetrics;
use crate::training::scheduler::SchedulerState;

/// A trained network with all that using it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The format version of the file it was read from; it is always written in the newest one.
    pub version: u32,
    pub recipe: Recipe,
    /// Whether the recipe came in the form of version 1, with `[augment]` as a table. Its images were
    /// varied with other random numbers, so no run can go on from here exactly.
    pub old_augment: bool,
    /// What computed; `None` in the `best.mpk` of version 1, which does not say.
    pub computed_by: Option<ComputedBy>,
    /// Every epoch up to the one these weights come from.
    pub metrics: Vec<Epoch>,
    pub tensors: Vec<NamedTensor>,
    /// What an exact continuation needs; only in `last.mpk`.
    pub resume: Option<Resume>,
}

/// The state of a run between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// Batches already trained of the epoch that follows the checkpoint's `metrics`.
    pub step: u64,
    /// Loss and accuracy of those batches so far.
    pub running: RunningMetrics,
    /// The time that they took. It is 0 between epochs, so that the clock leaves nothing in the
    /// `last.mpk` that a run ends with.
    pub seconds: f64,
    pub scheduler: SchedulerState,
    pub optimizer: OptimizerState,
    /// The weights as they are trained, where the checkpoint's own are their moving average.
    pub weights: Option<Vec<NamedTensor>>,
    /// The data as `--data` named them, which a resumed run uses again unless told otherwise.
    pub data: String,
    /// The training images' sha256 and `--limit`, which a resume can't change.
    pub sha256: String,
    pub limit: Option<u64>,
}
