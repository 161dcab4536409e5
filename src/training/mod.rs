//! Training: the loop, and what it needs.
//!
//! [`train`] reads from top to bottom: batch by batch forward, loss, backward, update;
//! then validate, adjust the learning rate, log, save.

mod bounded;
mod checkpoint;
mod data;
mod early_stopping;
mod feed;
pub mod files;
mod flat_optimizer;
mod learner;
pub mod loss;
mod metrics;
mod optimizer;
mod plausible;
pub mod progress;
mod run_folder;
mod scheduler;
mod tally;
pub mod warnings;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

pub use checkpoint::{Checkpoint, CheckpointError, Resume, VERSION};
pub use data::{TestData, TrainingData, test_data, training_data};
pub use learner::Learner;
pub use metrics::{Epoch, Figures, LogLine};
pub use optimizer::{Optimizer, OptimizerState};
pub use run_folder::{RunFolder, RunFolderError, Summary, TestFigures};
pub use scheduler::{Position, Scheduler, SchedulerState};
pub use tally::Tally;

use crate::backend::Engine;
use crate::dataset::Batch;
use crate::evaluation;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::rng::{Rng, Stream};
use feed::Feed;
use files::FileError;
use progress::Progress;

/// What a run needs and does not change.
pub struct Job<'a> {
    pub recipe: &'a Recipe,
    pub data: &'a TrainingData,
    pub engine: &'a Engine,
    pub folder: &'a RunFolder,
    /// How often `last.mpk` is saved inside an epoch; zero: after every batch.
    pub save_every: Duration,
    /// Asked between batches: whether to save and stop.
    pub stop: &'a dyn Fn() -> bool,
}

/// Everything that changes while a network learns: what `last.mpk` keeps.
pub struct State {
    pub learner: Learner,
    pub scheduler: Scheduler,
    /// The finished epochs.
    pub epochs: Vec<Epoch>,
    /// Batches already trained of the next one, and their figures.
    pub step: u64,
    pub tally: Tally,
    /// What these batches took.
    pub seconds: f64,
}

/// How a run ended.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Finished,
    /// The validation loss had stopped falling, as the recipe's `early_stopping` defines it.
    StoppedEarly,
    /// `stop` said so; `last.mpk` holds the state.
    Interrupted,
}

/// A run that could not go on.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}; the learning rate, {lr}, is probably \
         too high for this recipe. What the finished epochs left is in the run's folder",
        lr = progress::lr_text(*lr)
    )]
    Diverged {
        loss: f64,
        epoch: u64,
        step: u64,
        lr: f64,
    },
    #[error(
        "{what} overflowed in epoch {epoch}, although the loss is a number; the learning rate is \
         probably too high for this recipe. What was saved before is in the run's folder"
    )]
    Overflowed { what: String, epoch: u64 },
    #[error(
        "batch_size is 1, but layer {layer}, batch_norm, sees one value of each channel an image, \
         which has no variance: take at least 2"
    )]
    SingleValue { layer: usize },
    #[error("batch_size is {batch_size}, but there are only {images} images to train on")]
    BatchTooLarge { batch_size: usize, images: usize },
    #[error("the run in {folder} can't be continued: {problem}", folder = folder.display())]
    Resume { folder: PathBuf, problem: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl State {
    /// A fresh network, optimizer and schedule.
    pub fn new(recipe: &Recipe, plan: &Plan, engine: &Engine) -> Self {
        Self {
            learner: Learner::new(recipe, plan, engine),
            scheduler: Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr()),
            epochs: Vec::new(),
            step: 0,
            tally: Tally::default(),
            seconds: 0.0,
        }
    }

    /// The state that `checkpoint` (a `last.mpk` with its [`Resume`] part) was saved from, or
    /// why it can't have been saved from training on `images` images.
    pub fn restore(
        mut self,
        checkpoint: &Checkpoint,
        resume: &Resume,
        images: usize,
    ) -> Result<Self, String> {
        if checkpoint.old_augment {
            return Err(
                "an older mnistctl began it, which varied images with other random numbers, so it \
                 would not go on as it began; `eval` and `predict` read its checkpoints as before, \
                 and --config begins a new run"
                    .into(),
            );
        }
        let batch_size = checkpoint.recipe.training.batch_size as u64;
        let seen = resume.step.checked_mul(batch_size);
        // It was saved before a batch, so every batch up to there was a whole one.
        if seen != Some(resume.tally.images) || resume.tally.images >= images as u64 {
            return Err("its position in the epoch makes no sense".into());
        }
        let steps = (images as u64).div_ceil(batch_size);
        let trained = steps.checked_mul(checkpoint.metrics.len() as u64);
        if trained.and_then(|steps| steps.checked_add(resume.step)) != Some(resume.optimizer.steps)
        {
            return Err("the optimizer's steps are not those of its epochs".into());
        }
        let trained = resume.weights.as_ref().unwrap_or(&checkpoint.tensors);
        let loaded = self.learner.load_state(trained);
        loaded.map_err(|error| error.to_string())?;
        if resume.weights.is_some() {
            let loaded = self.learner.load_average(&checkpoint.tensors);
            loaded.map_err(|error| error.to_string())?;
        }
        self.learner.load_optimizer_state(&resume.optimizer)?;
        self.scheduler.load_state(resume.scheduler.clone());
        self.epochs = checkpoint.metrics.clone();
        self.step = resume.step;
        self.tally = resume.tally;
        self.seconds = resume.seconds;
        Ok(self)
    }

    /// The finished epoch with the smallest [`Epoch::selection_loss`]; the first of equals.
    pub fn best(&self) -> Option<&Epoch> {
        let smaller = |a: &&Epoch, b: &&Epoch| a.selection_loss().total_cmp(&b.selection_loss());
        self.epochs.iter().min_by(smaller)
    }

    /// Whether it stands at the end of the [`best`](Self::best) epoch.
    fn is_best(&self) -> bool {
        let last = self.epochs.len() as u64;
        self.step == 0 && self.best().is_some_and(|best| best.epoch == last)
    }

    /// What a file keeps of this state.
    ///
    /// # Errors
    /// [`TrainError::Overflowed`] for numbers that nothing could be done with: BatchNorm makes a
    /// finite loss even of infinite statistics. So no file ever holds them.
    fn checkpoint(&self, job: &Job<'_>) -> Result<Checkpoint, TrainError> {
        let (tensors, weights) = match self.learner.average() {
            Some(average) => (average, Some(self.learner.state())),
            None => (self.learner.state(), None),
        };
        let checkpoint = Checkpoint {
            recipe: job.recipe.clone(),
            old_augment: false,
            metrics: self.epochs.clone(),
            tensors,
            resume: Some(Resume {
                weights,
                step: self.step,
                tally: self.tally,
                seconds: self.seconds,
                scheduler: self.scheduler.state().clone(),
                optimizer: self.learner.optimizer_state(),
                backend: job.engine.backend.name().to_string(),
                data: job.data.source.clone(),
                sha256: job.data.sha256.clone(),
                limit: job.data.limit,
            }),
        };
        match overflowed(&checkpoint) {
            None => Ok(checkpoint),
            Some(what) => Err(TrainError::Overflowed {
                what,
                epoch: self.epochs.len() as u64 + u64::from(self.step > 0),
            }),
        }
    }
}

/// What of a checkpoint is infinite or not a number.
fn overflowed(checkpoint: &Checkpoint) -> Option<String> {
    let infinite = |values: &[f32]| !values.iter().all(|value| value.is_finite());
    let resume = checkpoint.resume.as_ref();
    let weights = resume.and_then(|resume| resume.weights.as_ref());
    let mut tensors = checkpoint
        .tensors
        .iter()
        .chain(weights.into_iter().flatten());
    if let Some(tensor) = tensors.find(|tensor| infinite(&tensor.values)) {
        return Some(format!("the network's {}", tensor.name));
    }
    let moments = resume.map_or(&[][..], |resume| &resume.optimizer.moments);
    let mut moments = moments.iter().flat_map(|(first, second)| [first, second]);
    moments
        .any(|moment| moment.as_deref().is_some_and(infinite))
        .then(|| "the optimizer's moving averages".to_string())
}

/// Refuses batches that the recipe can't mean: larger than the `images` there are to train on, and
/// of one image where BatchNorm needs two.
pub fn check_batch_size(recipe: &Recipe, plan: &Plan, images: usize) -> Result<(), TrainError> {
    let batch_size = recipe.training.batch_size;
    match plan.single_value_norm() {
        _ if batch_size > images => Err(TrainError::BatchTooLarge { batch_size, images }),
        Some(layer) if batch_size == 1 => Err(TrainError::SingleValue { layer }),
        _ => Ok(()),
    }
}

/// Trains `state` to the recipe's last epoch, or until [`Job::stop`].
pub fn train(
    job: &Job<'_>,
    mut state: State,
    progress: &mut Progress,
) -> Result<(State, Outcome), TrainError> {
    let training = &job.recipe.training;
    let steps = job.data.train.len().div_ceil(training.batch_size) as u64;
    begin(job, &state)?;
    let mut saved = Instant::now();
    let mut warned = false;

    while (state.epochs.len() as u64) < training.epochs {
        if early_stopping::is_due(training.early_stopping, &state.epochs) {
            return Ok((state, Outcome::StoppedEarly));
        }
        let epoch = state.epochs.len() as u64 + 1;
        let position = |step| Position {
            epoch: epoch - 1,
            step,
            epochs: training.epochs,
            steps,
        };
        let epoch_lr = state.scheduler.lr(position(0));
        let (started, seconds_before) = (Instant::now(), state.seconds);
        let seconds = || seconds_before + started.elapsed().as_secs_f64();
        progress.start_epoch(epoch, training.epochs, steps, state.step);

        let mut feed = Feed::new(job.recipe, job.data, epoch);
        while let Some((images, labels)) = feed.batch(state.step) {
            let stop = (job.stop)();
            if stop || (state.step > 0 && saved.elapsed() >= job.save_every) {
                state.seconds = seconds();
                job.folder.save_last(&state.checkpoint(job)?)?;
                saved = Instant::now();
            }
            if stop {
                return Ok((state, Outcome::Interrupted));
            }
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            let lr = state.scheduler.lr(position(state.step));
            // Dropout's numbers follow from the position, so a resumed run draws the same ones.
            let mut rng = Rng::new(training.seed, &[Stream::Dropout as u64, epoch, state.step]);
            let result = state.learner.step(batch, lr, rng.next_u64());
            state.step += 1;
            if !result.loss().is_finite() {
                return Err(TrainError::Diverged {
                    loss: result.loss(),
                    epoch,
                    step: state.step,
                    lr,
                });
            }
            state.tally.merge(&result);
            progress.step(&state.tally);
        }
        let train_seconds = seconds();

        let val = (!job.data.val.is_empty()).then(|| {
            let mut tally = Tally::default();
            let val = (&job.data.digits, job.data.val.as_slice());
            let logits = |images: &[&[u8]]| state.learner.logits(images);
            evaluation::for_each_batch(logits, val, |logits, labels| {
                tally.add(training.loss.into(), logits, labels);
            });
            Figures::from(&tally)
        });
        if let Some(val) = val {
            if !val.loss.is_finite() {
                return Err(TrainError::Diverged {
                    loss: val.loss,
                    epoch,
                    step: state.step,
                    lr: epoch_lr,
                });
            }
            state.scheduler.step(epoch - 1, val.loss, val.accuracy);
        }

        state.epochs.push(Epoch {
            epoch,
            lr: epoch_lr,
            train: Figures::from(&state.tally),
            val,
        });
        let line = LogLine {
            epoch: state.epochs[state.epochs.len() - 1].clone(),
            seconds: seconds(),
            images_per_second: state.tally.images as f64 / train_seconds,
        };
        state.step = 0;
        state.tally = Tally::default();
        state.seconds = 0.0;
        // Before anything is written: of numbers that have overflowed nothing shall be kept.
        let last = state.checkpoint(job)?;
        // In this order a crash between them loses nothing: `begin` cuts the log to the epochs of
        // last.mpk, and makes best.mpk from it.
        job.folder.append_log(&line)?;
        job.folder.save_last(&last)?;
        saved = Instant::now();
        let is_best = state.is_best();
        if is_best {
            job.folder.save_best(last)?;
        }
        progress.finish_epoch(&line, training.epochs, is_best);
        if let (Some(warning), false) = (warnings::of_epoch(&line.epoch), warned) {
            progress.warn(&warning);
            warned = true;
        }
    }
    Ok((state, Outcome::Finished))
}

/// Brings the folder's files to where `state` stands: the first point to go on from of a fresh run,
/// and after a crash what it came between. `last.mpk` is first, since a run can be continued from
/// it alone.
fn begin(job: &Job<'_>, state: &State) -> Result<(), TrainError> {
    let last = state.checkpoint(job)?;
    job.folder.save_last(&last)?;
    job.folder.save_recipe(job.recipe)?;
    job.folder.save_log(&job.folder.read_log(&state.epochs))?;
    if state.is_best() {
        job.folder.save_best(last)?;
    }
    Ok(())
}
