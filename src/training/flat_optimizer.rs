//! The optimizers on our kernels: the same steps over one vector of all parameters.

use super::optimizer::{HostMoment, OptimizerState};
use crate::kernels::{Buffer, Rule};
use crate::network::FusedNetwork;
use crate::recipe::{AdamSpec, OptimizerSpec};

/// An optimizer for a [`FusedNetwork`]: the same steps over one vector of all parameters.
#[derive(Debug, Clone)]
pub struct FlatOptimizer {
    spec: OptimizerSpec,
    steps: u64,
    /// Zeros before the first step; empty where the optimizer has no use for it.
    first: Buffer,
    second: Buffer,
}

impl FlatOptimizer {
    /// An optimizer of `len` values.
    pub fn new(spec: OptimizerSpec, len: usize) -> Self {
        let (first, second) = match spec {
            OptimizerSpec::Sgd { momentum, .. } => (momentum != 0.0, false),
            OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => (true, true),
            OptimizerSpec::RmsProp { momentum, .. } => (momentum != 0.0, true),
        };
        let zeros = |needed: bool| Buffer::zeros(if needed { len } else { 0 });
        Self {
            spec,
            steps: 0,
            first: zeros(first),
            second: zeros(second),
        }
    }

    /// Moves every parameter of `network` one step against the gradients it holds.
    pub fn step(&mut self, lr: f64, network: &mut FusedNetwork) {
        self.steps += 1;
        let rule = rule(&self.spec, lr, self.steps);
        network.update(rule, &mut self.first, &mut self.second);
    }

    /// The state as a checkpoint holds it.
    pub fn state(&self, network: &FusedNetwork) -> OptimizerState {
        if self.steps == 0 {
            return OptimizerState::default();
        }
        let parts = |all: &[f32]| -> Vec<HostMoment> {
            match all.is_empty() {
                true => vec![None; network.sizes().len()],
                false => network.export(all).into_iter().map(Some).collect(),
            }
        };
        let moments = parts(&self.first).into_iter().zip(parts(&self.second));
        OptimizerState {
            steps: self.steps,
            moments: moments.collect(),
        }
    }

    /// Continues from `state`, or says why it can't have come from training `network`.
    pub fn load_state(
        &mut self,
        state: &OptimizerState,
        network: &FusedNetwork,
    ) -> Result<(), String> {
        state.check(&network.sizes())?;
        let zeros: Vec<Vec<f32>> = network.sizes().iter().map(|&len| vec![0.0; len]).collect();
        let all = |moment: fn(&(HostMoment, HostMoment)) -> &HostMoment| {
            // What a parameter has no moment of starts from zero.
            let parts = zeros.iter().enumerate().map(|(index, zeros)| {
                let found = state
                    .moments
                    .get(index)
                    .and_then(|pair| moment(pair).as_ref());
                found.unwrap_or(zeros).as_slice()
            });
            network.import(&parts.collect::<Vec<_>>())
        };
        self.steps = state.steps;
        if !self.first.is_empty() {
            self.first = all(|pair| &pair.0);
        }
        if !self.second.is_empty() {
            self.second = all(|pair| &pair.1);
        }
        Ok(())
    }
}

/// The optimizer's `steps`th step. Scalars are doubles until here, as in PyTorch.
fn rule(spec: &OptimizerSpec, lr: f64, steps: u64) -> Rule {
    match *spec {
        OptimizerSpec::Sgd {
            momentum,
            dampening,
            nesterov,
            weight_decay,
            ..
        } => Rule::Sgd {
            lr: lr as f32,
            momentum: momentum as f32,
            gradient_weight: if steps == 1 {
                1.0
            } else {
                (1.0 - dampening) as f32
            },
            nesterov,
            weight_decay: weight_decay as f32,
        },
        OptimizerSpec::Adam(ref adam) => adam_rule(adam, lr, steps, adam.weight_decay, 1.0),
        OptimizerSpec::AdamW(ref adam) => {
            adam_rule(adam, lr, steps, 0.0, 1.0 - lr * adam.weight_decay)
        }
        OptimizerSpec::RmsProp {
            alpha,
            eps,
            weight_decay,
            momentum,
            ..
        } => Rule::RmsProp {
            lr: lr as f32,
            alpha: alpha as f32,
            alpha_rest: (1.0 - alpha) as f32,
            eps: eps as f32,
            weight_decay: weight_decay as f32,
            momentum: momentum as f32,
        },
    }
}

fn adam_rule(adam: &AdamSpec, lr: f64, steps: u64, weight_decay: f64, keep: f64) -> Rule {
    let (beta1, beta2) = adam.betas;
    let steps = steps as f64;
    Rule::Adam {
        beta1: beta1 as f32,
        beta2: beta2 as f32,
        beta1_rest: (1.0 - beta1) as f32,
        beta2_rest: (1.0 - beta2) as f32,
        step_size: (lr / (1.0 - beta1.powf(steps))) as f32,
        second_scale: (1.0 / (1.0 - beta2.powf(steps)).sqrt()) as f32,
        eps: adam.eps as f32,
        weight_decay: weight_decay as f32,
        keep: keep as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::optimizer::golden;
    use serde_json::Value;

    #[test]
    fn updates_follow_pytorch_on_every_instruction_set() {
        for case in &golden::cases() {
            check(case);
        }
    }

    fn check(case: &Value) {
        let initial = golden::floats(&case["initial"]);
        // Kernels take whole registers.
        let padded = |mut values: Vec<f32>| {
            values.resize(initial.len().next_multiple_of(16), 0.0);
            values
        };
        for isa in crate::kernels::Isa::available() {
            let mut values = padded(initial.clone());
            let mut optimizer = FlatOptimizer::new(golden::spec(case), values.len());
            let lr = optimizer.spec.lr();
            let steps = case["gradients"].as_array().unwrap().iter();
            for (gradient, expected) in steps.zip(case["expected"].as_array().unwrap()) {
                optimizer.steps += 1;
                let rule = rule(&optimizer.spec, lr, optimizer.steps);
                let gradient = padded(golden::floats(gradient));
                let FlatOptimizer { first, second, .. } = &mut optimizer;
                crate::kernels::update(isa, rule, &mut values, &gradient, first, second);
                for (a, b) in values.iter().zip(golden::floats(expected)) {
                    let near = (a - b).abs() <= 1e-5 * b.abs().max(1.0);
                    assert!(near, "{case:?} on {isa}: {a} instead of {b}");
                }
            }
        }
    }
}
