//! `rmsprop`: steps scaled by a moving average of the gradient's square.

use serde::Serialize;

use super::{NEGLIGIBLE, Optimizer, read_eps};
use crate::kernels::{Arithmetic, Rule};
use crate::schema::{SchemaError, Section};

/// `torch.optim.RMSprop` with `centered=False` (Hinton's lecture 6e of "Neural networks for machine
/// learning", 2012).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RmsProp {
    pub lr: f64,
    pub alpha: f64,
    pub eps: f64,
    pub weight_decay: f64,
    pub momentum: f64,
}

/// One step of RMSprop.
#[derive(Debug, Clone, Copy)]
pub struct RmsPropRule {
    lr: f32,
    alpha: f32,
    /// 1 - alpha, which is subtracted in double precision.
    alpha_rest: f32,
    eps: f32,
    weight_decay: f32,
    momentum: f32,
}

impl Optimizer for RmsProp {
    type Rule = RmsPropRule;

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            lr: section.positive("lr", 1e-2)?,
            alpha: section.number_where("alpha", 0.99, "between 0 and 1", |alpha| {
                (0.0..=1.0).contains(&alpha)
            })?,
            eps: read_eps(section)?,
            weight_decay: section.not_negative("weight_decay", 0.0)?,
            momentum: section.not_negative("momentum", 0.0)?,
        })
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn moments(&self) -> [bool; 2] {
        [self.momentum != 0.0, true]
    }

    fn rule(&self, lr: f64, _step: u64) -> RmsPropRule {
        RmsPropRule {
            lr: lr as f32,
            alpha: self.alpha as f32,
            alpha_rest: (1.0 - self.alpha) as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
            momentum: self.momentum as f32,
        }
    }
}

impl Rule for RmsPropRule {
    #[inline(always)]
    fn step<A: Arithmetic>(&self, value: A, gradient: A, moments: &mut [A; 2]) -> A {
        let gradient = value.clone().scale_add(self.weight_decay, gradient);
        let gradient = gradient.flush(NEGLIGIBLE);
        let [buffer, second] = moments;
        let part = gradient
            .clone()
            .mul(gradient.clone())
            .scale(self.alpha_rest);
        *second = second.clone().scale_add(self.alpha, part).flush(1e-34);
        let mut direction = gradient.div(second.clone().sqrt().scale_offset(1.0, self.eps));
        if self.momentum != 0.0 {
            direction = buffer.clone().scale_add(self.momentum, direction);
            direction = direction.flush(1e-30);
            *buffer = direction.clone();
        }
        direction.scale_add(-self.lr, value)
    }
}
