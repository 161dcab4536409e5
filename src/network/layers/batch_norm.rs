//! `batch_norm`: batch normalisation with PyTorch's running statistics.

use burn::tensor::Tensor;
use burn::tensor::module::{self, BatchNormTrainOutput};
use serde::Serialize;

use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, NormForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::{OnnxAttribute, OnnxForm};
use crate::network::parameter::{Init, Parameter, Role};
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call, keyword};
use crate::schema::{SchemaError, Section};

/// `torch.nn.BatchNorm2d` on feature maps, `torch.nn.BatchNorm1d` on vectors.
///
/// burn 0.22.1 has a `BatchNorm` too, but its running variance is the batch's biased variance,
/// where PyTorch's is the unbiased one (divided by n - 1); the two differ in evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchNorm {
    pub eps: f64,
    pub momentum: f64,
}

/// The places of its tensors among [`Layer::parameters`].
const WEIGHT: usize = 0;
const BIAS: usize = 1;
const RUNNING_MEAN: usize = 2;
const RUNNING_VAR: usize = 3;

impl BatchNorm {
    fn run<const D: usize>(&self, pass: &mut BurnPass<'_>, x: Tensor<D>) -> Tensor<D> {
        if pass.is_training() {
            self.train(pass, x)
        } else {
            let (weight, bias) = (pass.tensor(WEIGHT), pass.tensor(BIAS));
            let (mean, variance) = (pass.tensor(RUNNING_MEAN), pass.tensor(RUNNING_VAR));
            module::batch_norm(x, weight, bias, mean, variance, self.eps)
        }
    }

    /// Normalises `[batch, channels, ...]` with the batch's statistics and moves the running
    /// ones by `momentum` towards them.
    ///
    /// A single value a channel (one image of a vector) has no unbiased variance. PyTorch refuses
    /// it; here its output is the bias, and the running statistics stay as they are.
    fn train<const D: usize>(&self, pass: &mut BurnPass<'_>, x: Tensor<D>) -> Tensor<D> {
        let dims = x.dims();
        let count = dims.iter().product::<usize>() / dims[1];
        let (weight, bias) = (pass.tensor(WEIGHT), pass.tensor(BIAS));
        let result = if pass.means_in_parts() {
            self.normalised_in_parts(x, weight, bias)
        } else {
            module::batch_norm_train(x, weight, bias, self.eps)
        };
        // PyTorch normalises with the biased variance and remembers the unbiased one.
        if count > 1 {
            let unbiased = count as f64 / (count - 1) as f64;
            let mean = result.mean.without_autodiff();
            let variance = result.variance.without_autodiff() * unbiased;
            for (running, batch) in [(RUNNING_MEAN, mean), (RUNNING_VAR, variance)] {
                let old: Tensor<1> = pass.tensor(running);
                let new = old * (1.0 - self.momentum) + batch * self.momentum;
                pass.update(running, new);
            }
        }
        result.output
    }

    /// What `batch_norm_train` computes, with means taken over one dimension after the other, forward
    /// and in autodiff's way back: where a backend adds up one term after the other, the sums are the
    /// shorter and lose the less.
    fn normalised_in_parts<const D: usize>(
        &self,
        x: Tensor<D>,
        weight: Tensor<1>,
        bias: Tensor<1>,
    ) -> BatchNormTrainOutput<D> {
        let channels = weight.dims()[0];
        let mut shape = [1; D];
        shape[1] = channels;
        let mean_of = |x: Tensor<D>| {
            let dimensions = [0].into_iter().chain(2..D);
            dimensions.fold(x, |x, dimension| x.mean_dim(dimension))
        };
        let mean = mean_of(x.clone());
        let centred = x - mean.clone();
        let variance = mean_of(centred.clone().square());
        let deviation = (variance.clone() + self.eps).sqrt();
        let output = centred / deviation * weight.reshape(shape) + bias.reshape(shape);
        BatchNormTrainOutput {
            output,
            mean: mean.reshape([channels]),
            variance: variance.reshape([channels]),
        }
    }
}

impl Layer for BatchNorm {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            eps: section.positive("eps", 1e-5)?,
            momentum: section.number_where("momentum", 0.1, "between 0 and 1", |momentum| {
                (0.0..=1.0).contains(&momentum)
            })?,
        })
    }

    fn describe(&self) -> String {
        "batch_norm".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn parameters(&self, input: Shape) -> Vec<Parameter> {
        let channels = input.channels();
        vec![
            Parameter::per_channel("weight", channels, Init::Constant(1.0)),
            Parameter::per_channel("bias", channels, Init::Constant(0.0)),
            Parameter::running("running_mean", channels, Role::Mean, 0.0),
            Parameter::running("running_var", channels, Role::Variance, 1.0),
        ]
    }

    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        match input {
            Activations::Maps(x) => Activations::Maps(self.run(pass, x)),
            Activations::Features(x) => Activations::Features(self.run(pass, x)),
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.norm(NormForm {
            weight: form.parameter(WEIGHT),
            bias: form.parameter(BIAS),
            mean: form.parameter(RUNNING_MEAN),
            variance: form.parameter(RUNNING_VAR),
            eps: self.eps,
            momentum: self.momentum,
        });
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        let places = [WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR];
        let tensors = places.map(|place| form.parameter(place, None));
        let inputs = [input].into_iter().chain(tensors);
        let epsilon = OnnxAttribute::Float(self.eps as f32);
        form.node("BatchNormalization", inputs, vec![("epsilon", epsilon)])
    }

    fn in_torch(&self, form: TorchForm<'_>) -> String {
        let (module, channels) = match form.input() {
            Shape::Maps { channels, .. } => ("BatchNorm2d", channels),
            Shape::Features(features) => ("BatchNorm1d", features),
        };
        let others = [
            keyword("eps", self.eps, 1e-5),
            keyword("momentum", self.momentum, 0.1),
        ];
        call(module, &[channels], others)
    }

    fn counters(&self) -> &'static [&'static str] {
        &["num_batches_tracked"]
    }
}
