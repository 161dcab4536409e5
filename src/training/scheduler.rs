//! Learning-rate schedules, as `torch.optim.lr_scheduler` computes them.

use serde::{Deserialize, Serialize};

use crate::recipe::{
    AnnealStrategy, OneCycleSpec, PlateauMode, PlateauSpec, SchedulerSpec, ThresholdMode,
};

/// A schedule and where it stands.
#[derive(Debug, Clone)]
pub struct Scheduler {
    spec: SchedulerSpec,
    state: SchedulerState,
}

/// What a resumed run needs of a [`Scheduler`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulerState {
    pub lr: f64,
    /// The best figure so far; `None` before the first.
    pub best: Option<f64>,
    pub bad_epochs: u64,
    pub cooldown: u64,
}

impl Scheduler {
    pub fn new(spec: SchedulerSpec, lr: f64) -> Self {
        let state = SchedulerState {
            lr,
            best: None,
            bad_epochs: 0,
            cooldown: 0,
        };
        Self { spec, state }
    }

    /// Continues from `state`.
    pub fn load_state(&mut self, state: SchedulerState) {
        self.state = state;
    }

    pub fn state(&self) -> &SchedulerState {
        &self.state
    }

    /// The learning rate for step `step` of `steps` in the whole run, counted from 0.
    pub fn lr(&self, step: u64, steps: u64) -> f64 {
        match &self.spec {
            SchedulerSpec::Constant | SchedulerSpec::ReduceLrOnPlateau(_) => self.state.lr,
            SchedulerSpec::OneCycle(spec) => one_cycle(spec, step as f64, steps as f64),
        }
    }

    /// Ends an epoch with its validation loss and accuracy.
    pub fn step(&mut self, val_loss: f64, val_accuracy: f64) {
        match &self.spec {
            SchedulerSpec::Constant | SchedulerSpec::OneCycle(_) => {}
            SchedulerSpec::ReduceLrOnPlateau(spec) => {
                let figure = match spec.mode {
                    PlateauMode::Min => val_loss,
                    PlateauMode::Max => val_accuracy,
                };
                step_plateau(spec, &mut self.state, figure);
            }
        }
    }
}

/// `OneCycleLR.get_lr`, with its two phases: up to `max_lr`, and down to next to nothing.
fn one_cycle(spec: &OneCycleSpec, step: f64, steps: f64) -> f64 {
    let initial = spec.max_lr / spec.div_factor;
    let last = initial / spec.final_div_factor;
    let top = spec.pct_start * steps - 1.0;
    let (from, to, part) = match step < top {
        true => (initial, spec.max_lr, step / top),
        false => (spec.max_lr, last, (step - top) / (steps - 1.0 - top)),
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
