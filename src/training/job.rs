//! What a run needs and does not change.

use std::time::Duration;

use super::computed_by::ComputedBy;
use super::data::{TrainingData, training_data};
use super::error::{RunError, plan};
use super::scheduler::Position;
use super::state::State;
use crate::dataset::{DataArg, Source, find};
use crate::engine::{Compute, EngineError};
use crate::network::Plan;
use crate::recipe::Recipe;

/// What a run needs and does not change.
pub struct Job {
    pub recipe: Recipe,
    pub plan: Plan,
    pub source: Source,
    pub data: TrainingData,
    pub compute: Compute,
    /// How often `last.mpk` is saved inside an epoch; zero: after every batch.
    pub save_every: Duration,
}

impl Job {
    /// Plans the network and loads the digits that `data` names, as `--data` does.
    pub fn new(
        recipe: Recipe,
        compute: Compute,
        data: &str,
        limit: Option<u64>,
        save_every: Duration,
    ) -> Result<Self, RunError> {
        let plan = plan(&recipe)?;
        let source = find(&DataArg::from(data))?;
        let (validation, seed) = (recipe.data.validation, recipe.training.seed);
        Ok(Self {
            data: training_data(&source, validation, seed, limit)?,
            recipe,
            plan,
            source,
            compute,
            save_every,
        })
    }

    /// The state of a run that has not trained yet.
    ///
    /// # Errors
    /// When what computes can't run one of the network's layers.
    pub fn fresh_state(&self) -> Result<State, EngineError> {
        let engine = self.compute.engine(self.recipe.setup(&self.plan))?;
        Ok(State::new(&self.recipe, engine))
    }

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
        ComputedBy::of(&self.compute)
    }
}
