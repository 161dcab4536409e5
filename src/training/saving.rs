//! What a run saves while it trains, and when.
//!
//! `last.mpk` is saved at each epoch's end and every so often inside one; `best.mpk` at the end of
//! an epoch that was the best so far. A crash may come between any two files, and loses nothing: a
//! run is continued from `last.mpk` alone, and [`Saver::begin`] makes the others follow from it.

use std::time::Instant;

use super::checkpoint::{Checkpoint, Resume};
use super::divergence::overflowed;
use super::error::RunError;
use super::job::Job;
use super::metrics::LogLine;
use super::run_folder::RunFolder;
use super::state::State;

/// Saves a run that trains.
pub struct Saver<'a> {
    job: &'a Job,
    folder: &'a RunFolder,
    /// When `last.mpk` was saved.
    saved: Instant,
}

impl<'a> Saver<'a> {
    /// Brings the folder's files in line with `state`: a fresh run gets its first `last.mpk`, and
    /// after a crash the files that it prevented are written. `last.mpk` is first, since a run can
    /// be continued from it alone.
    pub fn begin(job: &'a Job, folder: &'a RunFolder, state: &State) -> Result<Self, RunError> {
        let last = checkpoint(job, state)?;
        folder.save_last(&last)?;
        folder.save_recipe(&job.recipe)?;
        folder.save_log(&folder.read_log(&state.epochs))?;
        if state.is_best() {
            folder.save_best(last)?;
        }
        Ok(Self {
            job,
            folder,
            saved: Instant::now(),
        })
    }

    /// Saves a point to go on from inside an epoch.
    pub fn save(&mut self, state: &mut State) -> Result<(), RunError> {
        let lr = state.scheduler.lr(self.job.position(state));
        state.flush(lr)?;
        self.folder.save_last(&checkpoint(self.job, state)?)?;
        self.saved = Instant::now();
        Ok(())
    }

    /// [`save`](Self::save), when the last time is long enough ago. Not at an epoch's beginning:
    /// what stands there was saved at the end of the one before.
    pub fn save_if_due(&mut self, state: &mut State) -> Result<(), RunError> {
        if state.step > 0 && self.saved.elapsed() >= self.job.save_every {
            self.save(state)?;
        }
        Ok(())
    }

    /// Saves a finished epoch with its line of the log. Returns whether it is the best so far.
    pub fn save_epoch(&mut self, state: &State, line: &LogLine) -> Result<bool, RunError> {
        let folder = self.folder;
        // This comes before anything is written, so that no number that has overflowed is ever
        // saved.
        let last = checkpoint(self.job, state)?;
        // In this order a crash between them loses nothing: `begin` cuts the log to the epochs of
        // last.mpk, and makes best.mpk from it.
        folder.append_log(line)?;
        folder.save_last(&last)?;
        self.saved = Instant::now();
        let is_best = state.is_best();
        if is_best {
            folder.save_best(last)?;
        }
        Ok(is_best)
    }
}

/// What `last.mpk` keeps of a state.
///
/// # Errors
/// [`RunError::Overflowed`] when a number has overflowed, so that no file ever holds one.
fn checkpoint(job: &Job, state: &State) -> Result<Checkpoint, RunError> {
    let (tensors, weights) = match state.engine.average() {
        Some(average) => (average, Some(state.engine.state())),
        None => (state.engine.state(), None),
    };
    let checkpoint = Checkpoint {
        version: super::checkpoint::VERSION,
        recipe: job.recipe.clone(),
        old_augment: false,
        computed_by: Some(job.computed_by()),
        metrics: state.epochs.clone(),
        tensors,
        resume: Some(Resume {
            weights,
            step: state.step,
            running: *state.metrics.running(),
            seconds: state.clock.seconds(),
            scheduler: state.scheduler.state().clone(),
            optimizer: state.engine.optimizer_state(),
            data: job.data.source.clone(),
            sha256: job.data.sha256.clone(),
            limit: job.data.limit,
        }),
    };
    match overflowed(&checkpoint) {
        None => Ok(checkpoint),
        Some(what) => Err(RunError::Overflowed {
            what,
            epoch: state.epochs.len() as u64 + u64::from(state.step > 0),
        }),
    }
}
