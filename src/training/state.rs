//! Everything that changes while a network learns.

use super::checkpoint::{Checkpoint, Resume};
use super::clock::Clock;
use super::divergence::{NotFinite, StepMetrics, Steps};
use super::error::RunError;
use super::metrics::{Epoch, Figures, LogLine};
use super::scheduler::Scheduler;
use crate::engine::{Engine, StepFigures};
use crate::recipe::Recipe;

/// Everything that changes while a network learns: what `last.mpk` keeps.
pub struct State {
    pub engine: Box<dyn Engine>,
    pub scheduler: Scheduler,
    /// The finished epochs.
    pub epochs: Vec<Epoch>,
    /// Batches already trained of the next one, and their figures.
    pub step: u64,
    pub metrics: StepMetrics,
    /// What these batches took.
    pub clock: Clock,
}

impl State {
    /// A schedule that has not begun, for an engine that has not either.
    pub fn new(recipe: &Recipe, engine: Box<dyn Engine>) -> Self {
        Self {
            engine,
            scheduler: Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr()),
            epochs: Vec::new(),
            step: 0,
            metrics: StepMetrics::default(),
            clock: Clock::default(),
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
        let batch_size = checkpoint.recipe.training.batch_size as u64;
        let seen = resume.step.checked_mul(batch_size);
        // It was saved before a batch, so every batch up to there was a whole one.
        if seen != Some(resume.running.images) || resume.running.images >= images as u64 {
            return Err("its position in the epoch makes no sense".into());
        }
        let steps = (images as u64).div_ceil(batch_size);
        let trained = steps.checked_mul(checkpoint.metrics.len() as u64);
        if trained.and_then(|steps| steps.checked_add(resume.step)) != Some(resume.optimizer.steps)
        {
            return Err("the optimizer's steps are not those of its epochs".into());
        }
        let trained = resume.weights.as_ref().unwrap_or(&checkpoint.tensors);
        let loaded = self.engine.load_state(trained);
        loaded.map_err(|error| error.to_string())?;
        if resume.weights.is_some() {
            let loaded = self.engine.load_average(&checkpoint.tensors);
            loaded.map_err(|error| error.to_string())?;
        }
        self.engine.load_optimizer_state(&resume.optimizer)?;
        self.scheduler.load_state(resume.scheduler.clone());
        self.epochs = checkpoint.metrics.clone();
        self.step = resume.step;
        self.metrics = StepMetrics::resumed(resume.step, resume.running);
        self.clock = Clock::stopped_at(resume.seconds);
        Ok(self)
    }

    /// The number, counted from 1, of the epoch that is trained.
    pub fn epoch(&self) -> u64 {
        self.epochs.len() as u64 + 1
    }

    /// The finished epoch with the smallest [`Epoch::selection_loss`]; the first of equals.
    pub fn best(&self) -> Option<&Epoch> {
        let smaller = |a: &&Epoch, b: &&Epoch| a.selection_loss().total_cmp(&b.selection_loss());
        self.epochs.iter().min_by(smaller)
    }

    /// Whether it stands at the end of the [`best`](Self::best) epoch.
    pub fn is_best(&self) -> bool {
        let last = self.epochs.len() as u64;
        self.step == 0 && self.best().is_some_and(|best| best.epoch == last)
    }

    /// Adds the figures of steps that have become known while the learning rate was `lr`.
    pub fn add(&mut self, figures: &[StepFigures], lr: f64) -> Result<(), RunError> {
        let added = self.metrics.add(figures);
        added.map_err(|NotFinite { loss, steps }| RunError::Diverged {
            loss,
            epoch: self.epoch(),
            steps,
            lr,
        })
    }

    /// Adds the figures that the engine still holds back.
    pub fn flush(&mut self, lr: f64) -> Result<(), RunError> {
        let figures = self.engine.flush();
        self.add(&figures, lr)
    }

    /// Refuses a validation loss, measured behind the epoch's last step, that is not a number.
    pub fn check_validation(&self, loss: f64, lr: f64) -> Result<(), RunError> {
        if loss.is_finite() {
            return Ok(());
        }
        Err(RunError::Diverged {
            loss,
            epoch: self.epoch(),
            steps: Steps::one(self.step),
            lr,
        })
    }

    /// Ends the epoch, and returns its line of the log.
    pub fn finish_epoch(&mut self, lr: f64, val: Option<Figures>, train_seconds: f64) -> LogLine {
        let running = *self.metrics.running();
        let epoch = Epoch {
            epoch: self.epoch(),
            lr,
            train: running.figures(),
            val,
        };
        let line = LogLine {
            epoch: epoch.clone(),
            seconds: self.clock.seconds(),
            images_per_second: running.images as f64 / train_seconds,
        };
        self.epochs.push(epoch);
        self.step = 0;
        self.metrics = StepMetrics::default();
        self.clock = Clock::default();
        line
    }
}
