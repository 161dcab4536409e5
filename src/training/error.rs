//! Why a run can't begin, go on or be saved.

use std::path::PathBuf;

use thiserror::Error;

use super::checkpoint::CheckpointError;
use super::divergence::Steps;
use super::run_folder::RunFolderError;
use crate::dataset::DatasetError;
use crate::engine::EngineError;
use crate::files::FileError;
use crate::network::{Plan, PlanError};
use crate::recipe::Recipe;
use crate::terminal::lr_text;

/// A run that can't begin, go on or be saved.
#[derive(Debug, Error)]
pub enum RunError {
    #[error(
        "the loss became {loss} in epoch {epoch}, {steps}; the learning rate, {lr}, is probably \
         too high for this recipe. What the finished epochs left is in the run's folder",
        lr = lr_text(*lr)
    )]
    Diverged {
        loss: f64,
        epoch: u64,
        steps: Steps,
        lr: f64,
    },
    #[error(
        "{what} overflowed in epoch {epoch}, although the loss is a number; the learning rate is \
         probably too high for this recipe. What was saved before is in the run's folder"
    )]
    Overflowed { what: String, epoch: u64 },
    #[error(
        "batch_size is 1, but layer {layer}, batch_norm, sees one value per channel and image, \
         which has no variance: take at least 2"
    )]
    SingleValue { layer: String },
    #[error("batch_size is {batch_size}, but there are only {images} images to train on")]
    BatchTooLarge { batch_size: usize, images: usize },
    #[error("can't begin with the weights of {path}: {problem}", path = path.display())]
    Init { path: PathBuf, problem: String },
    #[error("the run in {folder} can't be continued: {problem}", folder = folder.display())]
    Resume { folder: PathBuf, problem: String },
    #[error(transparent)]
    Plan(#[from] RecipePlanError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl RunError {
    /// Whether the run's folder could not be written, so that what was saved before is untouched.
    pub fn is_unwritten(&self) -> bool {
        matches!(
            self,
            Self::File(_) | Self::Checkpoint(CheckpointError::Write(_))
        )
    }
}

/// A recipe whose layers make no network.
#[derive(Debug, Error)]
#[error("the recipe {recipe}: {source}")]
pub struct RecipePlanError {
    pub recipe: String,
    pub source: PlanError,
}

/// The plan of a recipe's network.
pub fn plan(recipe: &Recipe) -> Result<Plan, RecipePlanError> {
    Plan::new(&recipe.model.layers).map_err(|source| RecipePlanError {
        recipe: recipe.name.clone(),
        source,
    })
}

/// Refuses batch sizes that can't be meant: larger than the `images` there are to train on, and of
/// one image where BatchNorm needs two.
pub fn check_batch_size(recipe: &Recipe, plan: &Plan, images: usize) -> Result<(), RunError> {
    let batch_size = recipe.training.batch_size;
    match plan.single_value_norm() {
        _ if batch_size > images => Err(RunError::BatchTooLarge { batch_size, images }),
        Some(layer) if batch_size == 1 => Err(RunError::SingleValue { layer }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_is_said_to_be_in_its_step_or_between_two() {
        let message = |steps| {
            let diverged = RunError::Diverged {
                loss: f64::NAN,
                epoch: 2,
                steps,
                lr: 0.1,
            };
            diverged.to_string()
        };
        let one = message(Steps::one(7));
        assert!(one.starts_with("the loss became NaN in epoch 2, step 7; the learning rate, 0.1,"));
        let several = message(Steps {
            first: 33,
            last: 64,
        });
        let begins = "the loss became NaN in epoch 2, between steps 33 and 64; the learning";
        assert!(several.starts_with(begins), "{several}");
    }
}
