//! Batch normalisation with PyTorch's running statistics.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, module};

/// `torch.nn.BatchNorm1d` and `BatchNorm2d`.
///
/// burn 0.22.1 has a `BatchNorm` too, but its running variance is the batch's biased variance,
/// where PyTorch's is the unbiased one (divided by n - 1); the two differ in evaluation.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// The scale, gamma: `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// The shift, beta: `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// Used in evaluation: `[channels]`, never on the autodiff graph.
    pub running_mean: Tensor<1>,
    /// Used in evaluation: `[channels]`, never on the autodiff graph.
    pub running_var: Tensor<1>,
    eps: f64,
    momentum: f64,
}

impl BatchNorm {
    /// Weights 1, biases 0, running mean 0 and variance 1, as in PyTorch.
    pub fn new(channels: usize, eps: f64, momentum: f64, device: &Device) -> Self {
        let inner = device.clone().without_autodiff();
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: Tensor::zeros([channels], &inner),
            running_var: Tensor::ones([channels], &inner),
            eps,
            momentum,
        }
    }

    /// Normalises `[batch, channels, ...]` with the batch's statistics and moves the running
    /// ones by `momentum` towards them.
    ///
    /// A single value a channel (one image of a vector) has no unbiased variance. PyTorch refuses
    /// it; here its output is the bias, and the running statistics stay as they are.
    pub fn forward_train<const D: usize>(&mut self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        let count = dims.iter().product::<usize>() / dims[1];
        let result = module::batch_norm_train(input, self.weight.val(), self.bias.val(), self.eps);
        // PyTorch normalises with the biased variance and remembers the unbiased one.
        if count > 1 {
            let mean = result.mean.without_autodiff();
            self.running_mean = blend(&self.running_mean, mean, self.momentum);
            let unbiased = count as f64 / (count - 1) as f64;
            let variance = result.variance.without_autodiff() * unbiased;
            self.running_var = blend(&self.running_var, variance, self.momentum);
        }
        result.output
    }

    /// Normalises `[batch, channels, ...]` with the running statistics.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        module::batch_norm(
            input,
            self.weight.val(),
            self.bias.val(),
            self.running_mean.clone(),
            self.running_var.clone(),
            self.eps,
        )
    }
}

fn blend(old: &Tensor<1>, new: Tensor<1>, momentum: f64) -> Tensor<1> {
    old.clone() * (1.0 - momentum) + new * momentum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_a_channel_becomes_the_bias_and_leaves_the_statistics() {
        let device = crate::backend::any_cpu().autodiff();
        let mut norm = BatchNorm::new(2, 1e-5, 0.1, &device);
        norm.bias = Param::from_tensor(Tensor::from_data([0.5, -3.0], &device));
        let output = norm.forward_train(Tensor::<2>::from_data([[7.0, 8.0]], &device));
        let values = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(values(output.flatten(0, 1)), [0.5, -3.0]);
        assert_eq!(values(norm.running_mean.clone()), [0.0, 0.0]);
        assert_eq!(values(norm.running_var.clone()), [1.0, 1.0]);
        // Two values move both: the mean is 8, the unbiased variance 2.
        norm.forward_train(Tensor::<2>::from_data([[7.0, 8.0], [9.0, 8.0]], &device));
        assert!((values(norm.running_mean)[0] - 0.8).abs() < 1e-6);
        assert!((values(norm.running_var)[0] - 1.1).abs() < 1e-6);
    }
}
