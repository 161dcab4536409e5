//! `adam`: moving averages of the gradient and of its square.

use serde::Serialize;

use super::{NEGLIGIBLE, Optimizer, read_eps};
use crate::kernels::{Arithmetic, Rule};
use crate::schema::{SchemaError, Section};

/// `torch.optim.Adam` (Kingma and Ba, "Adam: a method for stochastic optimization", 2015): weight
/// decay is added to the gradient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Adam {
    pub lr: f64,
    pub betas: (f64, f64),
    pub eps: f64,
    pub weight_decay: f64,
}

/// One step of Adam.
#[derive(Debug, Clone, Copy)]
pub struct AdamRule {
    beta1: f32,
    beta2: f32,
    /// 1 - beta1 and 1 - beta2, which are subtracted in double precision.
    beta1_rest: f32,
    beta2_rest: f32,
    /// lr / (1 - beta1^t).
    step_size: f32,
    /// 1 / sqrt(1 - beta2^t).
    second_scale: f32,
    eps: f32,
    /// Times the weight, added to the gradient.
    weight_decay: f32,
    /// What the weight is multiplied with first.
    keep: f32,
}

impl Adam {
    /// Reads the keys, of which Adam and AdamW differ in the default of one.
    pub(super) fn read_with(section: &Section<'_>, weight_decay: f64) -> Result<Self, SchemaError> {
        let betas = section.pair("betas")?.unwrap_or((0.9, 0.999));
        let valid = 0.0..1.0;
        if !valid.contains(&betas.0) || !valid.contains(&betas.1) {
            return Err(section.error("betas", "must both be at least 0 and less than 1"));
        }
        Ok(Self {
            lr: section.positive("lr", 1e-3)?,
            betas,
            eps: read_eps(section)?,
            weight_decay: section.not_negative("weight_decay", weight_decay)?,
        })
    }

    /// A step with this much weight decay in the gradient, and in the weights themselves.
    pub(super) fn rule_with(&self, lr: f64, step: u64, weight_decay: f64, keep: f64) -> AdamRule {
        let (beta1, beta2) = self.betas;
        let steps = step as f64;
        AdamRule {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            beta1_rest: (1.0 - beta1) as f32,
            beta2_rest: (1.0 - beta2) as f32,
            step_size: (lr / (1.0 - beta1.powf(steps))) as f32,
            second_scale: (1.0 / (1.0 - beta2.powf(steps)).sqrt()) as f32,
            eps: self.eps as f32,
            weight_decay: weight_decay as f32,
            keep: keep as f32,
        }
    }
}

impl Optimizer for Adam {
    type Rule = AdamRule;

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Self::read_with(section, 0.0)
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn moments(&self) -> [bool; 2] {
        [true, true]
    }

    fn rule(&self, lr: f64, step: u64) -> AdamRule {
        self.rule_with(lr, step, self.weight_decay, 1.0)
    }
}

impl Rule for AdamRule {
    #[inline(always)]
    fn step<A: Arithmetic>(&self, value: A, gradient: A, moments: &mut [A; 2]) -> A {
        let gradient = value.clone().scale_add(self.weight_decay, gradient);
        let gradient = gradient.flush(NEGLIGIBLE);
        let [first, second] = moments;
        let part = gradient.clone().scale(self.beta1_rest);
        *first = first.clone().scale_add(self.beta1, part).flush(1e-30);
        let part = gradient.clone().mul(gradient).scale(self.beta2_rest);
        *second = second.clone().scale_add(self.beta2, part).flush(1e-34);
        let root = second.clone().sqrt();
        let denominator = root.scale_offset(self.second_scale, self.eps);
        let direction = first.clone().div(denominator);
        direction.scale_add(-self.step_size, value.scale(self.keep))
    }
}
