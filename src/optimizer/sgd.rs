//! `sgd`: stochastic gradient descent.

use serde::Serialize;

use super::Optimizer;
use crate::kernels::{Arithmetic, Rule};
use crate::schema::{SchemaError, Section};

/// `torch.optim.SGD`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sgd {
    pub lr: f64,
    pub momentum: f64,
    pub dampening: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
}

/// One step of SGD.
#[derive(Debug, Clone, Copy)]
pub struct SgdRule {
    lr: f32,
    momentum: f32,
    /// What the gradient is weighted with on its way into the momentum: 1 - dampening, and 1 in the
    /// first step.
    gradient_weight: f32,
    nesterov: bool,
    weight_decay: f32,
}

impl Optimizer for Sgd {
    type Rule = SgdRule;

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let lr = section.positive("lr", 1e-3)?;
        let momentum = section.not_negative("momentum", 0.0)?;
        let dampening = section.number("dampening")?.unwrap_or(0.0);
        let nesterov = section.boolean("nesterov", false)?;
        if nesterov && (momentum == 0.0 || dampening != 0.0) {
            return Err(section.error("nesterov", "needs a momentum and no dampening"));
        }
        Ok(Self {
            lr,
            momentum,
            dampening,
            nesterov,
            weight_decay: section.not_negative("weight_decay", 0.0)?,
        })
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn moments(&self) -> [bool; 2] {
        [self.momentum != 0.0, false]
    }

    fn rule(&self, lr: f64, step: u64) -> SgdRule {
        SgdRule {
            lr: lr as f32,
            momentum: self.momentum as f32,
            gradient_weight: if step == 1 {
                1.0
            } else {
                (1.0 - self.dampening) as f32
            },
            nesterov: self.nesterov,
            weight_decay: self.weight_decay as f32,
        }
    }
}

impl Rule for SgdRule {
    #[inline(always)]
    fn step<A: Arithmetic>(&self, value: A, gradient: A, moments: &mut [A; 2]) -> A {
        let gradient = value.clone().scale_add(self.weight_decay, gradient);
        if self.momentum == 0.0 {
            return gradient.scale_add(-self.lr, value);
        }
        let [buffer, _] = moments;
        let weighted = gradient.clone().scale(self.gradient_weight);
        *buffer = buffer.clone().scale_add(self.momentum, weighted);
        let direction = if self.nesterov {
            buffer.clone().scale_add(self.momentum, gradient)
        } else {
            buffer.clone()
        };
        direction.scale_add(-self.lr, value)
    }
}
