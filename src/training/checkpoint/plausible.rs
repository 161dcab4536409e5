//! Whether what a checkpoint says of a run can have come from one.
//!
//! A file that is sound in itself may still hold what no training writes: more right answers than
//! images, counters that overflow at the next step, a learning rate above the one it began with.
//! Going on from there would give nonsense at best, so it is refused with what is wrong. What can
//! only be told with the data at hand, [`State::restore`](crate::training::State::restore) checks.

use super::contents::Resume;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::training::metrics::{Epoch, Figures};

/// The finished epochs of a run. There may be more than its recipe asks for now: `--epochs` can
/// lower that.
pub fn check_epochs(epochs: &[Epoch]) -> Result<(), String> {
    let numbered = |(index, epoch): (usize, &Epoch)| epoch.epoch == index as u64 + 1;
    if !epochs.iter().enumerate().all(numbered) {
        return Err("its epochs are not numbered 1, 2, 3, ...".into());
    }
    let possible =
        |figures: &Figures| figures.loss.is_finite() && (0.0..=1.0).contains(&figures.accuracy);
    let measured = |epoch: &Epoch| {
        possible(&epoch.train) && epoch.val.is_none_or(|val| possible(&val)) && rate(epoch.lr)
    };
    if epochs.iter().all(measured) {
        Ok(())
    } else {
        Err("its epochs have figures that can't be measured".into())
    }
}

/// The state of a run of `recipe` after `epochs` epochs, with the network that `plan` describes.
pub fn check_resume(
    resume: &Resume,
    recipe: &Recipe,
    plan: &Plan,
    epochs: u64,
) -> Result<(), String> {
    let running = &resume.running;
    if running.correct > running.images || !running.loss_sum.is_finite() {
        return Err("its counts of the unfinished epoch are impossible".into());
    }
    resume
        .scheduler
        .check(&recipe.scheduler, recipe.optimizer.lr())?;
    resume.optimizer.check(plan)?;
    // Every epoch has a step at least, and no run has so many that counting them fails.
    let steps = resume.optimizer.steps;
    if steps < epochs.saturating_add(resume.step) || steps > 1 << 53 {
        return Err("the optimizer's steps are not those of its epochs".into());
    }
    if let Some(weights) = &resume.weights {
        if recipe.training.ema_decay.is_none() {
            return Err("it holds averaged weights, which its recipe does not ask for".into());
        }
        plan.check_state(weights)
            .map_err(|error| error.to_string())?;
    }
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if resume.sha256.len() == 64 && resume.sha256.bytes().all(hex) {
        Ok(())
    } else {
        Err("what it gives as the sha256 of its training images is not a sha256".into())
    }
}

fn rate(lr: f64) -> bool {
    lr.is_finite() && lr >= 0.0
}
