//! A network: a recipe's layer list as one burn module.

mod batch_norm;
mod fused;
mod layer;
mod model;
mod plan;
mod state;

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{DropoutConfig, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};

use crate::recipe::LayerSpec;
use crate::rng::{Rng, Stream};

pub use batch_norm::BatchNorm;
pub use fused::{FusedNetwork, Weights};
pub use model::Model;
pub use plan::{Plan, PlanError, PlannedLayer, Shape};
pub use state::{NamedTensor, StateError};

use layer::{Activation, Activations, Flatten, Function, Layer};

/// A network built from a [`Plan`]; it knows its layers, not the recipe.
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<Layer>,
}

impl Network {
    /// Builds the network with PyTorch's default initialisation. The weights follow from `seed`
    /// alone, so they are the same on every backend.
    pub fn new(plan: &Plan, seed: u64, device: &Device) -> Self {
        let mut rng = Rng::new(seed, &[Stream::Weights as u64]);
        let layers = plan
            .layers
            .iter()
            .map(|planned| build(planned, &mut rng, device))
            .collect();
        Self { layers }
    }

    /// Logits `[batch, 10]` of normalised images `[batch, 1, 28, 28]`, as in evaluation.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let input = Activations::Maps(images);
        logits(self.layers.iter().fold(input, |x, layer| layer.forward(x)))
    }

    /// Passes every parameter through `mapper`.
    pub fn map_parameters(&mut self, mapper: &mut impl ModuleMapper) {
        self.layers = std::mem::take(&mut self.layers).map(mapper);
    }

    /// Logits as in training: dropout drops when `images` are on an autodiff device, BatchNorm
    /// uses the batch's statistics and updates its running ones.
    pub fn forward_train(&mut self, images: Tensor<4>) -> Tensor<2> {
        let input = Activations::Maps(images);
        let layers = self.layers.iter_mut();
        logits(layers.fold(input, |x, layer| layer.forward_train(x)))
    }
}

/// Logits `[batch, classes]` as row-major host values, off the autodiff graph.
pub fn to_host(logits: &Tensor<2>) -> Vec<f32> {
    let data = logits.clone().without_autodiff().into_data();
    data.try_into_vec()
        .expect("networks are f32 on every backend")
}

fn logits(output: Activations) -> Tensor<2> {
    match output {
        Activations::Features(logits) => logits,
        Activations::Maps(_) => unreachable!("a Plan ends with ten features"),
    }
}

/// One layer with its initial weights: `U(-1/sqrt(fan_in), 1/sqrt(fan_in))` for the weights and
/// biases of conv and linear layers, which is what `kaiming_uniform_(a=sqrt(5))` and the bias
/// rule in PyTorch's `reset_parameters` come to.
fn build(planned: &PlannedLayer, rng: &mut Rng, device: &Device) -> Layer {
    let activation = |function| Layer::Activation(Activation { function });
    match (&planned.spec, planned.input) {
        (
            LayerSpec::Conv {
                out_channels,
                kernel_size,
                stride,
                padding,
                bias,
            },
            Shape::Maps { channels, .. },
        ) => {
            let (before, after) = plan::pads(*padding, *kernel_size, *stride)
                .expect("a Plan has checked the padding");
            let size = [*kernel_size; 2];
            let mut conv = Conv2dConfig::new([channels, *out_channels], size)
                .with_stride([*stride; 2])
                .with_padding(PaddingConfig2d::Explicit(before, before, after, after))
                .with_bias(*bias)
                .init(device);
            let fan_in = channels * kernel_size * kernel_size;
            let shape = [*out_channels, channels, *kernel_size, *kernel_size];
            conv.weight = uniform(shape, fan_in, rng, device);
            conv.bias = bias.then(|| uniform([*out_channels], fan_in, rng, device));
            Layer::Conv(conv)
        }
        (LayerSpec::BatchNorm { eps, momentum }, input) => {
            Layer::BatchNorm(BatchNorm::new(input.channels(), *eps, *momentum, device))
        }
        (
            LayerSpec::MaxPool {
                kernel_size,
                stride,
            },
            _,
        ) => Layer::MaxPool(
            MaxPool2dConfig::new([*kernel_size; 2])
                .with_strides([*stride; 2])
                .init(),
        ),
        (LayerSpec::Flatten, _) => Layer::Flatten(Flatten {}),
        (LayerSpec::Linear { out_features, bias }, Shape::Features(features)) => {
            let mut linear = LinearConfig::new(features, *out_features)
                .with_bias(*bias)
                .init(device);
            let weight = uniform([*out_features, features], features, rng, device);
            linear.weight = state::linear_weight(weight.val());
            linear.bias = bias.then(|| uniform([*out_features], features, rng, device));
            Layer::Linear(linear)
        }
        (LayerSpec::Conv { .. } | LayerSpec::Linear { .. }, _) => {
            unreachable!("a Plan lets no layer meet a shape it can't take")
        }
        (LayerSpec::Dropout { p }, _) => Layer::Dropout(DropoutConfig::new(*p).init()),
        (LayerSpec::Relu, _) => activation(Function::Relu),
        (LayerSpec::LeakyRelu { negative_slope }, _) => activation(Function::LeakyRelu {
            negative_slope: *negative_slope,
        }),
        (LayerSpec::Elu { alpha }, _) => activation(Function::Elu { alpha: *alpha }),
        (LayerSpec::Gelu, _) => activation(Function::Gelu),
        (LayerSpec::Tanh, _) => activation(Function::Tanh),
        (LayerSpec::Sigmoid, _) => activation(Function::Sigmoid),
        (LayerSpec::Softmax, _) => activation(Function::Identity),
    }
}

fn uniform<const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    rng: &mut Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let bound = 1.0 / (fan_in as f32).sqrt();
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| (2.0 * rng.next_f32() - 1.0) * bound)
        .collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}
