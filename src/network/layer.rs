//! The layers that a network is made of, as burn modules.

use burn::module::Module;
use burn::nn;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::{Tensor, activation};

use super::batch_norm::BatchNorm;

/// A batch's activations between two layers.
#[derive(Debug, Clone)]
pub(super) enum Activations {
    /// `[batch, channels, height, width]`.
    Maps(Tensor<4>),
    /// `[batch, features]`.
    Features(Tensor<2>),
}

/// One layer of a [`Network`](super::Network).
// A network has a handful of them, and derive(Module) takes no boxes.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub(super) enum Layer {
    Conv(Conv2d),
    BatchNorm(BatchNorm),
    MaxPool(MaxPool2d),
    Flatten(Flatten),
    Linear(nn::Linear),
    Dropout(nn::Dropout),
    Activation(Activation),
}

/// `torch.nn.Flatten`: `[batch, channels, height, width]` to `[batch, features]`.
#[derive(Module, Debug)]
pub(super) struct Flatten {}

/// A function of each value by itself.
#[derive(Module, Debug)]
pub(super) struct Activation {
    #[module(skip)]
    pub function: Function,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Relu,
    LeakyRelu {
        negative_slope: f64,
    },
    Elu {
        alpha: f64,
    },
    Gelu,
    Tanh,
    Sigmoid,
    /// What a final softmax does to the logits: nothing. The loss and the probabilities are
    /// computed from the logits, which is exact where a softmax has underflowed.
    Identity,
}

impl Layer {
    /// Runs the layer as in evaluation, or while training when `input` is on an autodiff device
    /// (dropout looks at that itself).
    pub fn forward(&self, input: Activations) -> Activations {
        use Activations::{Features, Maps};
        match (self, input) {
            (Layer::Conv(conv), Maps(x)) => Maps(convolve(conv, x)),
            (Layer::BatchNorm(norm), Maps(x)) => Maps(norm.forward(x)),
            (Layer::BatchNorm(norm), Features(x)) => Features(norm.forward(x)),
            (Layer::MaxPool(pool), Maps(x)) => Maps(pool.forward(x)),
            (Layer::Flatten(_), Maps(x)) => Features(x.flatten(1, 3)),
            (Layer::Flatten(_), Features(x)) => Features(x),
            (Layer::Linear(linear), Features(x)) => Features(linear.forward(x)),
            (Layer::Dropout(dropout), Maps(x)) => Maps(dropout.forward(x)),
            (Layer::Dropout(dropout), Features(x)) => Features(dropout.forward(x)),
            (Layer::Activation(activation), Maps(x)) => Maps(activation.forward(x)),
            (Layer::Activation(activation), Features(x)) => Features(activation.forward(x)),
            (Layer::Conv(_) | Layer::MaxPool(_), Features(_)) | (Layer::Linear(_), Maps(_)) => {
                unreachable!("a Plan lets no layer meet a shape it can't take")
            }
        }
    }

    /// Runs the layer as in training; only BatchNorm keeps something of what it sees.
    pub fn forward_train(&mut self, input: Activations) -> Activations {
        match (self, input) {
            (Layer::BatchNorm(norm), Activations::Maps(x)) => {
                Activations::Maps(norm.forward_train(x))
            }
            (Layer::BatchNorm(norm), Activations::Features(x)) => {
                Activations::Features(norm.forward_train(x))
            }
            (layer, input) => layer.forward(input),
        }
    }
}

/// How many images ndarray convolves at once.
///
/// burn 0.22.1's ndarray backend adds up a conv weight's gradient one term after the other over
/// the whole batch. For the first conv of a batch of 64 these are 43,264 terms that nearly cancel
/// (a BatchNorm follows), and what f32 loses there takes a training run 1.5e-4 away from PyTorch's
/// within 20 steps. In chunks of 16, whose sums are then added, it stays within 2e-5; flex needs
/// none of this. `tests/golden.rs` holds both to it.
#[cfg(feature = "ndarray")]
const NDARRAY_CHUNK: usize = 16;

fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "ndarray")]
    if crate::backend::is_ndarray(&x.device()) && x.dims()[0] > NDARRAY_CHUNK {
        let chunks = x.split(NDARRAY_CHUNK, 0).into_iter();
        return Tensor::cat(chunks.map(|chunk| conv.forward(chunk)).collect(), 0);
    }
    conv.forward(x)
}

impl Activation {
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.function {
            Function::Relu => activation::relu(x),
            Function::LeakyRelu { negative_slope } => activation::leaky_relu(x, negative_slope),
            Function::Elu { alpha } => activation::elu(x, alpha),
            Function::Gelu => activation::gelu(x),
            Function::Tanh => activation::tanh(x),
            Function::Sigmoid => activation::sigmoid(x),
            Function::Identity => x,
        }
    }
}
