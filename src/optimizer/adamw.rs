//! `adamw`: Adam whose weight decay shrinks the weights themselves.

use serde::Serialize;

use super::Optimizer;
use super::adam::{Adam, AdamRule};
use crate::schema::{SchemaError, Section};

/// `torch.optim.AdamW` (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AdamW {
    pub adam: Adam,
}

impl Optimizer for AdamW {
    type Rule = AdamRule;

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let adam = Adam::read_with(section, 1e-2)?;
        Ok(Self { adam })
    }

    fn lr(&self) -> f64 {
        self.adam.lr
    }

    fn moments(&self) -> [bool; 2] {
        self.adam.moments()
    }

    fn rule(&self, lr: f64, step: u64) -> AdamRule {
        let keep = 1.0 - lr * self.adam.weight_decay;
        self.adam.rule_with(lr, step, 0.0, keep)
    }
}
