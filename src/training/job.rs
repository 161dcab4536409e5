//! What a run needs and does not change.

use std::time::Duration;

use super::computed_by::ComputedBy;
use super::data::TrainingData;
use super::run_folder::RunFolder;
use super::scheduler::Position;
use super::state::State;
use crate::backend::Engine;
use crate::dataset::Source;
use crate::network::Plan;
use crate::recipe::Recipe;

/// What a run needs and does not change.
pub struct Job {
    pub recipe: Recipe,
    pub plan: Plan,
    pub source: Source,
    pub data: TrainingData,
    pub engine: Engine,
    pub threads: usize,
    pub folder: RunFolder,
    /// How often `last.mpk` is saved inside an epoch; zero: after every batch.
    pub save_every: Duration,
}

impl Job {
    /// Where a state stands in the whole run.
    pub fn position(&self, state: &State) -> Position {
        let batch_size = self.recipe.training.batch_size;
        Position {
            epoch: state.epochs.len() as u64,
            step: state.step,
            epochs: self.recipe.training.epochs,
            steps: self.data.train.len().div_ceil(batch_size) as u64,
        }
    }

    /// What its summary and checkpoints record as what computed.
    pub fn computed_by(&self) -> ComputedBy {
        ComputedBy::of(&self.engine)
    }
}
