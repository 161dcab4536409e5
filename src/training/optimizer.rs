//! The optimizers, step for step as `torch.optim` computes them, on burn's operations;
//! `flat_optimizer.rs` has them on our kernels.
//!
//! burn has most of them, but keeps their state under process-local ids, with single-precision bias
//! corrections for Adam. Here the state is one list in parameter order that a checkpoint can hold,
//! and all scalars are doubles until they meet a tensor, as in PyTorch.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::network::Network;
use crate::recipe::{AdamSpec, OptimizerSpec};

/// An optimizer and its state for every parameter of one network.
#[derive(Debug, Clone)]
pub struct Optimizer {
    spec: OptimizerSpec,
    /// Steps taken; Adam's bias correction needs it.
    steps: u64,
    /// One entry a parameter, in the network's order; empty before the first step.
    moments: Vec<Moments>,
}

/// What the optimizer remembers of one parameter, flattened to `[elements]`.
#[derive(Debug, Clone, Default)]
struct Moments {
    /// SGD's or RMSprop's momentum buffer, or Adam's `exp_avg`.
    first: Option<Tensor<1>>,
    /// Adam's `exp_avg_sq` or RMSprop's `square_avg`.
    second: Option<Tensor<1>>,
}

/// One of a parameter's moments on the host, flattened; `None` where the optimizer keeps none.
pub type HostMoment = Option<Vec<f32>>;

/// [`Optimizer`]'s state on the host, for checkpoints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OptimizerState {
    pub steps: u64,
    /// First and second moment of each parameter.
    pub moments: Vec<(HostMoment, HostMoment)>,
}

impl Optimizer {
    pub fn new(spec: OptimizerSpec) -> Self {
        Self {
            spec,
            steps: 0,
            moments: Vec::new(),
        }
    }

    /// Moves every parameter of `network` one step against its gradient. When all gradients
    /// together are longer than `clip`, they are shortened to it first, as
    /// `torch.nn.utils.clip_grad_norm_` does.
    pub fn step(
        &mut self,
        lr: f64,
        network: &mut Network,
        gradients: &Gradients,
        clip: Option<f64>,
    ) {
        self.steps += 1;
        let scale = clip.map(|max_norm| {
            let mut squares = Squares {
                gradients,
                sum: 0.0,
            };
            network.visit(&mut squares);
            // With PyTorch's 1e-6.
            (max_norm / (squares.sum.sqrt() + 1e-6)).min(1.0)
        });
        network.map_parameters(&mut Step {
            optimizer: self,
            lr,
            gradients,
            scale,
            parameter: 0,
        });
    }

    /// The new value of one parameter; all tensors are `[elements]`.
    fn update(
        &self,
        lr: f64,
        value: Tensor<1>,
        gradient: Tensor<1>,
        moments: &mut Moments,
    ) -> Tensor<1> {
        match self.spec {
            OptimizerSpec::Sgd {
                momentum,
                dampening,
                nesterov,
                weight_decay,
                ..
            } => {
                let gradient = decayed(gradient, &value, weight_decay);
                if momentum == 0.0 {
                    return value - gradient * lr;
                }
                let buffer = match moments.first.take() {
                    None => gradient.clone(),
                    Some(buffer) => buffer * momentum + gradient.clone() * (1.0 - dampening),
                };
                moments.first = Some(buffer.clone());
                let direction = match nesterov {
                    true => gradient + buffer * momentum,
                    false => buffer,
                };
                value - direction * lr
            }
            OptimizerSpec::Adam(ref adam) => {
                let gradient = decayed(gradient, &value, adam.weight_decay);
                self.update_adam(adam, lr, value, gradient, moments)
            }
            OptimizerSpec::AdamW(ref adam) => {
                let value = value * (1.0 - lr * adam.weight_decay);
                self.update_adam(adam, lr, value, gradient, moments)
            }
            OptimizerSpec::RmsProp {
                alpha,
                eps,
                weight_decay,
                momentum,
                ..
            } => {
                let gradient = decayed(gradient, &value, weight_decay);
                let second = moving(moments.second.take(), gradient.clone().square(), alpha);
                moments.second = Some(second.clone());
                let mut direction = gradient / (second.sqrt() + eps);
                if momentum > 0.0 {
                    if let Some(buffer) = moments.first.take() {
                        direction = buffer * momentum + direction;
                    }
                    moments.first = Some(direction.clone());
                }
                value - direction * lr
            }
        }
    }

    fn update_adam(
        &self,
        adam: &AdamSpec,
        lr: f64,
        value: Tensor<1>,
        gradient: Tensor<1>,
        moments: &mut Moments,
    ) -> Tensor<1> {
        let (beta1, beta2) = adam.betas;
        let first = moving(moments.first.take(), gradient.clone(), beta1);
        let second = moving(moments.second.take(), gradient.square(), beta2);
        moments.first = Some(first.clone());
        moments.second = Some(second.clone());
        let steps = self.steps as f64;
        let correction1 = 1.0 - beta1.powf(steps);
        let correction2 = 1.0 - beta2.powf(steps);
        let denominator = second.sqrt() / correction2.sqrt() + adam.eps;
        value - first / denominator * (lr / correction1)
    }

    /// The state as host values.
    pub fn state(&self) -> OptimizerState {
        let host = |tensor: &Option<Tensor<1>>| {
            tensor.as_ref().map(|tensor| {
                let data = tensor.to_data();
                data.try_into_vec()
                    .expect("moments are f32 on every backend")
            })
        };
        OptimizerState {
            steps: self.steps,
            moments: self
                .moments
                .iter()
                .map(|moments| (host(&moments.first), host(&moments.second)))
                .collect(),
        }
    }

    /// Continues from `state`, or says why it can't have come from training `network`.
    pub fn load_state(
        &mut self,
        state: &OptimizerState,
        network: &Network,
        device: &Device,
    ) -> Result<(), String> {
        let mut sizes = Sizes(Vec::new());
        network.visit(&mut sizes);
        state.check(&sizes.0)?;
        let device = device.clone().without_autodiff();
        let tensor = |values: &HostMoment| {
            values.as_ref().map(|values| {
                let data = TensorData::new(values.clone(), [values.len()]);
                Tensor::from_data(data, &device)
            })
        };
        self.steps = state.steps;
        self.moments = state
            .moments
            .iter()
            .map(|(first, second)| Moments {
                first: tensor(first),
                second: tensor(second),
            })
            .collect();
        Ok(())
    }
}

impl OptimizerState {
    /// Whether it can have come from training parameters of these sizes.
    pub(super) fn check(&self, sizes: &[usize]) -> Result<(), String> {
        let fits = |moment: &HostMoment, size: usize| match moment {
            Some(values) => values.len() == size && values.iter().all(|value| value.is_finite()),
            None => true,
        };
        // Second moments are means of squares.
        let positive = |moment: &HostMoment| moment.iter().flatten().all(|&value| value >= 0.0);
        let all_fit = self.moments.len() == sizes.len()
            && self
                .moments
                .iter()
                .zip(sizes)
                .all(|((first, second), &size)| {
                    fits(first, size) && fits(second, size) && positive(second)
                });
        // Before the first step there is nothing to remember.
        match all_fit || (self.steps == 0 && self.moments.is_empty()) {
            true => Ok(()),
            false => Err("the optimizer's state does not fit the network".into()),
        }
    }
}

/// The elements of each parameter, in the network's order.
struct Sizes(Vec<usize>);

impl ModuleVisitor for Sizes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.lazy_shape().num_elements());
    }
}

/// Adds up the squares of all gradients.
struct Squares<'a> {
    gradients: &'a Gradients,
    sum: f64,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            self.sum += f64::from(gradient.square().sum().into_scalar::<f32>());
        }
    }
}

/// L2 regularisation as all but AdamW apply it: added to the gradient.
fn decayed(gradient: Tensor<1>, value: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    match weight_decay == 0.0 {
        true => gradient,
        false => gradient + value.clone() * weight_decay,
    }
}

/// A moving average that starts from zero.
fn moving(old: Option<Tensor<1>>, new: Tensor<1>, beta: f64) -> Tensor<1> {
    let new = new * (1.0 - beta);
    match old {
        None => new,
        Some(old) => old * beta + new,
    }
}

/// Visits the parameters in the network's order.
struct Step<'a> {
    optimizer: &'a mut Optimizer,
    lr: f64,
    gradients: &'a Gradients,
    /// What every gradient is multiplied with.
    scale: Option<f64>,
    parameter: usize,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let index = self.parameter;
        self.parameter += 1;
        if self.optimizer.moments.len() <= index {
            self.optimizer.moments.push(Moments::default());
        }
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = tensor.grad(self.gradients) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let gradient = match self.scale {
            Some(scale) => gradient * scale,
            None => gradient,
        };
        let value = tensor.without_autodiff();
        let shape = value.shape();
        let elements = [shape.num_elements()];
        let mut moments = std::mem::take(&mut self.optimizer.moments[index]);
        let value = self.optimizer.update(
            self.lr,
            value.reshape(elements),
            gradient.reshape(elements),
            &mut moments,
        );
        self.optimizer.moments[index] = moments;
        let value = value.reshape(shape).autodiff().require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}

/// The numbers that PyTorch's optimizers produced.
#[cfg(test)]
pub(super) mod golden {
    use serde_json::Value;

    use crate::recipe::{OptimizerSpec, Recipe};

    pub fn cases() -> Vec<Value> {
        let golden = include_str!("../../tests/golden/optimizers.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 15);
        cases.clone()
    }

    pub fn floats(value: &Value) -> Vec<f32> {
        let values = value.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap() as f32).collect()
    }

    /// The hyperparameters pass through a recipe, so its reader is checked too.
    pub fn spec(case: &Value) -> OptimizerSpec {
        let args = case["args"].as_object().unwrap();
        let lines: Vec<String> = args.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let text = format!(
            "name = 'case'\n[model]\nlayers = ['flatten']\n[training]\nepochs = 1\n\
             [optimizer]\nkind = {}\n{}\n",
            case["kind"],
            lines.join("\n")
        );
        Recipe::parse("case", &text, &[]).unwrap().optimizer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_follow_pytorch() {
        let device = crate::backend::any_cpu();
        let tensor = |values: Vec<f32>| Tensor::<1>::from_floats(&values[..], &device);
        for case in &golden::cases() {
            let mut optimizer = Optimizer::new(golden::spec(case));
            let lr = optimizer.spec.lr();
            let mut moments = Moments::default();
            let mut value = tensor(golden::floats(&case["initial"]));
            let steps = case["gradients"].as_array().unwrap().iter();
            for (gradient, expected) in steps.zip(case["expected"].as_array().unwrap()) {
                optimizer.steps += 1;
                value = optimizer.update(lr, value, tensor(golden::floats(gradient)), &mut moments);
                let ours = value.to_data().try_into_vec::<f32>().unwrap();
                for (a, b) in ours.iter().zip(golden::floats(expected)) {
                    let near = (a - b).abs() <= 1e-5 * b.abs().max(1.0);
                    assert!(
                        near,
                        "{case:?}: {a} instead of {b} at step {}",
                        optimizer.steps
                    );
                }
            }
        }
    }
}
