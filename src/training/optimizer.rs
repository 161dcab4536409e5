//! SGD and Adam, step for step as `torch.optim` computes them.
//!
//! burn has both, but keeps their state under process-local ids, with single-precision bias
//! corrections for Adam. Here the state is one list in parameter order that a checkpoint can hold,
//! and all scalars are doubles until they meet a tensor, as in PyTorch.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::kernels::{Buffer, Rule};
use crate::network::{FusedNetwork, Network};
use crate::recipe::OptimizerSpec;

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
    /// SGD's momentum buffer or Adam's `exp_avg`.
    first: Option<Tensor<1>>,
    /// Adam's `exp_avg_sq`.
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

    /// Moves every parameter of `network` one step against its gradient.
    pub fn step(&mut self, lr: f64, network: &mut Network, gradients: &Gradients) {
        self.steps += 1;
        network.map_parameters(&mut Step {
            optimizer: self,
            lr,
            gradients,
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
            OptimizerSpec::Adam {
                betas: (beta1, beta2),
                eps,
                weight_decay,
                ..
            } => {
                let gradient = decayed(gradient, &value, weight_decay);
                let first = gradient.clone() * (1.0 - beta1);
                let first = match moments.first.take() {
                    None => first,
                    Some(old) => old * beta1 + first,
                };
                let second = gradient.square() * (1.0 - beta2);
                let second = match moments.second.take() {
                    None => second,
                    Some(old) => old * beta2 + second,
                };
                moments.first = Some(first.clone());
                moments.second = Some(second.clone());
                let steps = self.steps as f64;
                let correction1 = 1.0 - beta1.powf(steps);
                let correction2 = 1.0 - beta2.powf(steps);
                let denominator = second.sqrt() / correction2.sqrt() + eps;
                value - first / denominator * (lr / correction1)
            }
        }
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
    fn check(&self, sizes: &[usize]) -> Result<(), String> {
        let fits = |moment: &HostMoment, size: usize| match moment {
            Some(values) => values.len() == size && values.iter().all(|value| value.is_finite()),
            None => true,
        };
        let all_fit = self.moments.len() == sizes.len()
            && self
                .moments
                .iter()
                .zip(sizes)
                .all(|((first, second), &size)| fits(first, size) && fits(second, size));
        // Before the first step there is nothing to remember.
        match all_fit || (self.steps == 0 && self.moments.is_empty()) {
            true => Ok(()),
            false => Err("the optimizer's state does not fit the network".into()),
        }
    }
}

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
            OptimizerSpec::Adam { .. } => (true, true),
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
        OptimizerSpec::Adam {
            betas: (beta1, beta2),
            eps,
            weight_decay,
            ..
        } => {
            let steps = steps as f64;
            Rule::Adam {
                beta1: beta1 as f32,
                beta2: beta2 as f32,
                beta1_rest: (1.0 - beta1) as f32,
                beta2_rest: (1.0 - beta2) as f32,
                step_size: (lr / (1.0 - beta1.powf(steps))) as f32,
                second_scale: (1.0 / (1.0 - beta2.powf(steps)).sqrt()) as f32,
                eps: eps as f32,
                weight_decay: weight_decay as f32,
            }
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

/// L2 regularisation as both optimizers apply it: added to the gradient.
fn decayed(gradient: Tensor<1>, value: &Tensor<1>, weight_decay: f64) -> Tensor<1> {
    match weight_decay == 0.0 {
        true => gradient,
        false => gradient + value.clone() * weight_decay,
    }
}

/// Visits the parameters in the network's order.
struct Step<'a> {
    optimizer: &'a mut Optimizer,
    lr: f64,
    gradients: &'a Gradients,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use serde_json::Value;

    fn floats(value: &Value) -> Vec<f32> {
        let values = value.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap() as f32).collect()
    }

    /// The hyperparameters pass through a recipe, so its reader is checked too.
    fn spec(case: &Value) -> OptimizerSpec {
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

    /// The same for the kernels, on every instruction set.
    fn check_flat(case: &Value) {
        let initial = floats(&case["initial"]);
        // Kernels take whole registers.
        let padded = |mut values: Vec<f32>| {
            values.resize(initial.len().next_multiple_of(16), 0.0);
            values
        };
        for isa in crate::kernels::Isa::available() {
            let mut values = padded(initial.clone());
            let mut optimizer = FlatOptimizer::new(spec(case), values.len());
            let lr = optimizer.spec.lr();
            let steps = case["gradients"].as_array().unwrap().iter();
            for (gradient, expected) in steps.zip(case["expected"].as_array().unwrap()) {
                optimizer.steps += 1;
                let rule = rule(&optimizer.spec, lr, optimizer.steps);
                let gradient = padded(floats(gradient));
                let FlatOptimizer { first, second, .. } = &mut optimizer;
                crate::kernels::update(isa, rule, &mut values, &gradient, first, second);
                for (a, b) in values.iter().zip(floats(expected)) {
                    let near = (a - b).abs() <= 1e-5 * b.abs().max(1.0);
                    assert!(near, "{case:?} on {isa}: {a} instead of {b}");
                }
            }
        }
    }

    #[test]
    fn updates_follow_pytorch() {
        let golden = include_str!("../../tests/golden/optimizers.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 9);
        let device = crate::backend::any_cpu();
        let tensor = |values: Vec<f32>| Tensor::<1>::from_floats(&values[..], &device);
        for case in cases {
            check_flat(case);
            let mut optimizer = Optimizer::new(spec(case));
            let lr = optimizer.spec.lr();
            let mut moments = Moments::default();
            let mut value = tensor(floats(&case["initial"]));
            let steps = case["gradients"].as_array().unwrap().iter();
            for (gradient, expected) in steps.zip(case["expected"].as_array().unwrap()) {
                optimizer.steps += 1;
                value = optimizer.update(lr, value, tensor(floats(gradient)), &mut moments);
                let ours = value.to_data().try_into_vec::<f32>().unwrap();
                for (a, b) in ours.iter().zip(floats(expected)) {
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
