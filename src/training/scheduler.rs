//! Learning-rate schedules, as `torch.optim.lr_scheduler` computes them.

use serde::{Deserialize, Serialize};

use crate::recipe::{
    AnnealStrategy, OneCycleSpec, PlateauMode, PlateauSpec, Schedule, SchedulerSpec, ThresholdMode,
};

/// A schedule and where it stands.
#[derive(Debug, Clone)]
pub struct Scheduler {
    spec: SchedulerSpec,
    /// The optimizer's learning rate, which the schedule begins with.
    base_lr: f64,
    state: SchedulerState,
}

/// What a resumed run needs of a [`Scheduler`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulerState {
    /// The learning rate that ReduceLROnPlateau has come to.
    pub lr: f64,
    /// The best figure so far; `None` before the first.
    pub best: Option<f64>,
    pub bad_epochs: u64,
    pub cooldown: u64,
}

impl SchedulerState {
    /// Whether a schedule that began with the learning rate `lr` can come to this state.
    pub(super) fn check(&self, spec: &SchedulerSpec, lr: f64) -> Result<(), String> {
        let fits = match &spec.schedule {
            Schedule::ReduceLrOnPlateau(spec) => {
                (0.0..=lr).contains(&self.lr)
                    && self.best.is_none_or(f64::is_finite)
                    && self.bad_epochs <= spec.patience
                    && self.cooldown <= spec.cooldown
            }
            // The others go by the position alone.
            _ => *self == Self::new(lr),
        };
        if fits {
            Ok(())
        } else {
            Err("the learning rate's schedule can't have come to where it is".into())
        }
    }

    fn new(lr: f64) -> Self {
        Self {
            lr,
            best: None,
            bad_epochs: 0,
            cooldown: 0,
        }
    }
}

/// A step's place in the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Finished epochs, and batches of this one: both counted from 0.
    pub epoch: u64,
    pub step: u64,
    /// The epochs of the whole run, and the steps of an epoch.
    pub epochs: u64,
    pub steps: u64,
}

impl Scheduler {
    pub fn new(spec: SchedulerSpec, lr: f64) -> Self {
        Self {
            spec,
            base_lr: lr,
            state: SchedulerState::new(lr),
        }
    }

    /// Continues from `state`.
    pub fn load_state(&mut self, state: SchedulerState) {
        self.state = state;
    }

    pub fn state(&self) -> &SchedulerState {
        &self.state
    }

    /// The learning rate of one step.
    pub fn lr(&self, at: Position) -> f64 {
        let Some(warmup) = &self.spec.warmup else {
            return self.scheduled(at);
        };
        // The schedule knows nothing of the warm-up: it begins after it.
        let after = Position {
            epoch: at.epoch.saturating_sub(warmup.epochs),
            // A run that ends before its warm-up still rises to where a schedule would begin.
            epochs: at.epochs.saturating_sub(warmup.epochs).max(1),
            ..at
        };
        if at.epoch >= warmup.epochs {
            return self.scheduled(after);
        }
        let start = self.scheduled(Position { step: 0, ..after });
        let steps = (warmup.epochs * at.steps) as f64;
        let part = (at.epoch * at.steps + at.step) as f64 / steps;
        start * (warmup.start_factor + (1.0 - warmup.start_factor) * part)
    }

    /// [`lr`](Self::lr) without the warm-up.
    fn scheduled(&self, at: Position) -> f64 {
        match &self.spec.schedule {
            Schedule::Constant => self.base_lr,
            Schedule::Step { step_size, gamma } => {
                self.base_lr * gamma.powf((at.epoch / step_size) as f64)
            }
            Schedule::Exponential { gamma } => self.base_lr * gamma.powf(at.epoch as f64),
            Schedule::CosineAnnealing { t_max, eta_min } => {
                let t_max = t_max.unwrap_or(at.epochs).max(1) as f64;
                let angle = std::f64::consts::PI * at.epoch as f64 / t_max;
                eta_min + (self.base_lr - eta_min) * ((1.0 + angle.cos()) / 2.0)
            }
            Schedule::ReduceLrOnPlateau(_) => self.state.lr,
            Schedule::OneCycle(spec) => {
                let step = (at.epoch * at.steps + at.step) as f64;
                one_cycle(spec, step, (at.epochs * at.steps) as f64)
            }
        }
    }

    /// Ends epoch `epoch`, counted from 0, with its validation loss and accuracy.
    pub fn step(&mut self, epoch: u64, val_loss: f64, val_accuracy: f64) {
        let warming_up = self.spec.warmup.as_ref().is_some_and(|w| epoch < w.epochs);
        if let (Schedule::ReduceLrOnPlateau(spec), false) = (&self.spec.schedule, warming_up) {
            let figure = match spec.mode {
                PlateauMode::Min => val_loss,
                PlateauMode::Max => val_accuracy,
            };
            step_plateau(spec, &mut self.state, figure);
        }
    }
}

/// `OneCycleLR.get_lr`, with its two phases: up to `max_lr`, and down to next to nothing.
fn one_cycle(spec: &OneCycleSpec, step: f64, steps: f64) -> f64 {
    let initial = spec.max_lr / spec.div_factor;
    let last = initial / spec.final_div_factor;
    let top = spec.pct_start * steps - 1.0;
    let (from, to, part) = if step < top {
        (initial, spec.max_lr, step / top)
    } else {
        (spec.max_lr, last, (step - top) / (steps - 1.0 - top))
    };
    match spec.anneal_strategy {
        AnnealStrategy::Cos => to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * part).cos()),
        AnnealStrategy::Linear => (to - from) * part + from,
    }
}

/// `ReduceLROnPlateau.step`, line for line.
fn step_plateau(spec: &PlateauSpec, state: &mut SchedulerState, figure: f64) {
    if is_better(spec, figure, state.best) {
        state.best = Some(figure);
        state.bad_epochs = 0;
    } else {
        state.bad_epochs += 1;
    }
    if state.cooldown > 0 {
        state.cooldown -= 1;
        state.bad_epochs = 0;
    }
    if state.bad_epochs > spec.patience {
        let lowered = (state.lr * spec.factor).max(spec.min_lr);
        if state.lr - lowered > spec.eps {
            state.lr = lowered;
        }
        state.cooldown = spec.cooldown;
        state.bad_epochs = 0;
    }
}

fn is_better(spec: &PlateauSpec, figure: f64, best: Option<f64>) -> bool {
    // PyTorch starts from infinity on the bad side, which every figure but NaN beats.
    let Some(best) = best else {
        return match spec.mode {
            PlateauMode::Min => figure < f64::INFINITY,
            PlateauMode::Max => figure > f64::NEG_INFINITY,
        };
    };
    let threshold = spec.threshold;
    match (spec.mode, spec.threshold_mode) {
        (PlateauMode::Min, ThresholdMode::Rel) => figure < best * (1.0 - threshold),
        (PlateauMode::Min, ThresholdMode::Abs) => figure < best - threshold,
        (PlateauMode::Max, ThresholdMode::Rel) => figure > best * (threshold + 1.0),
        (PlateauMode::Max, ThresholdMode::Abs) => figure > best + threshold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn recipe(scheduler: &str) -> Result<Recipe, String> {
        let text = format!(
            "name = 'x'\n[model]\nlayers = ['flatten']\n[optimizer]\nkind = 'sgd'\n\
             [training]\nepochs = 2\n[scheduler]\nkind = 'one_cycle'\n{scheduler}"
        );
        Recipe::parse("x", &text, &[]).map_err(|error| error.to_string())
    }

    /// OneCycleLR needs a number of steps; PyTorch refuses none.
    #[test]
    fn a_run_that_ends_in_its_warm_up_has_learning_rates() {
        let recipe = recipe("max_lr = 0.5\ndiv_factor = 5\nwarmup = { epochs = 4 }").unwrap();
        let scheduler = Scheduler::new(recipe.scheduler, recipe.optimizer.lr());
        let lr = |epoch, step| {
            scheduler.lr(Position {
                epoch,
                step,
                epochs: 2,
                steps: 10,
            })
        };
        // From a third of 0.1, where OneCycleLR begins, halfway to it.
        assert!((lr(0, 0) - 0.1 / 3.0).abs() < 1e-12);
        assert!((lr(2, 0) - 0.2 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn no_divisor_makes_a_learning_rate_infinite() {
        assert!(recipe("max_lr = 1e300\ndiv_factor = 25").is_ok());
        for divisors in [
            "div_factor = 1e-300",
            "div_factor = 1e-200\nfinal_div_factor = 1e-200",
        ] {
            let error = recipe(&format!("max_lr = 1e10\n{divisors}")).unwrap_err();
            assert!(error.contains("too large for its divisors"), "{error}");
        }
    }
}
