//! Training: the loop, and what it needs.
//!
//! [`train`] reads from top to bottom: batch by batch forward, loss, backward, update;
//! then validate, adjust the learning rate, log, save. [`Run`] is how others use it.

mod burn_order;
mod callback;
mod checkpoint;
mod clock;
mod computed_by;
mod data;
mod data_loader;
mod divergence;
mod early_stopping;
mod error;
mod init;
mod job;
mod metrics;
mod run;
mod run_folder;
mod running_metrics;
mod saving;
mod scheduler;
mod state;
mod validation;
mod warnings;

pub use callback::Callback;
pub use checkpoint::{Checkpoint, CheckpointError, EMBEDDED_NAME, Resume, VERSION};
pub use computed_by::ComputedBy;
pub use data::{TestData, TrainingData, test_data, training_data};
pub use divergence::Steps;
pub use error::{RecipePlanError, RunError, check_batch_size, plan};
pub use init::Afresh;
pub use job::Job;
pub use metrics::{Epoch, Figures, LogLine};
pub use run::{BeginOptions, ResumeOptions, Run};
pub use run_folder::{RunFolder, RunFolderError, Summary, TestFigures};
pub use running_metrics::RunningMetrics;
pub use scheduler::{Position, Scheduler, SchedulerState};
pub use state::State;
pub use validation::INFERENCE_BATCH;

use crate::dataset::Batch;
use crate::rng::{Rng, Stream};
use data_loader::DataLoader;
use saving::Saver;
use validation::validate;
use warnings::HarmfulEpoch;

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Finished,
    /// The validation loss had stopped falling, as the recipe's `early_stopping` defines it.
    StoppedEarly,
    /// `stop` said so; `last.mpk` holds the state.
    Interrupted,
}

/// Trains `state` to the recipe's last epoch, or until `stop`, which is asked before each batch.
fn train(
    job: &Job,
    folder: &RunFolder,
    state: &mut State,
    callback: &mut dyn Callback,
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, RunError> {
    let training = &job.recipe.training;
    let mut saver = Saver::begin(job, folder, state)?;
    let mut harmful = HarmfulEpoch::default();
    while (state.epochs.len() as u64) < training.epochs {
        if early_stopping::is_due(training.early_stopping, &state.epochs) {
            return Ok(Outcome::StoppedEarly);
        }
        let (epoch, at) = (state.epoch(), job.position(state));
        let epoch_lr = state.scheduler.lr(Position { step: 0, ..at });
        callback.epoch_started(at);
        state.clock.start();

        let mut loader = DataLoader::new(&job.recipe, &job.data, epoch);
        while let Some((images, labels)) = loader.batch(state.step) {
            if stop() {
                saver.save(state)?;
                return Ok(Outcome::Interrupted);
            }
            saver.save_if_due(state)?;
            let lr = state.scheduler.lr(job.position(state));
            // Dropout's numbers follow from the position, so a resumed run draws the same ones.
            let mut rng = Rng::new(training.seed, &[Stream::Dropout as u64, epoch, state.step]);
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            let figures = state.engine.step(batch, lr, rng.next_u64());
            state.step += 1;
            state.add(&figures, lr)?;
            callback.step_done(state.metrics.running());
        }
        state.flush(epoch_lr)?;
        let train_seconds = state.clock.seconds();

        let val = validate(&*state.engine, training.loss.into(), &job.data);
        if let Some(val) = val {
            state.check_validation(val.loss, epoch_lr)?;
            state.scheduler.step(epoch - 1, val.loss, val.accuracy);
        }
        let line = state.finish_epoch(epoch_lr, val, train_seconds);
        let is_best = saver.save_epoch(state, &line)?;
        callback.epoch_finished(&line, is_best);
        if let Some(warning) = harmful.first(&line.epoch) {
            callback.warning(&warning);
        }
    }
    Ok(Outcome::Finished)
}
