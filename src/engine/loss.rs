//! The losses that training minimises: differentiable on the device, and once more in double
//! precision on the host for the figures that are reported.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};
use serde::Serialize;

/// What training minimises: [`Loss`] with label smoothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criterion {
    pub loss: Loss,
    pub label_smoothing: f64,
}

impl From<Loss> for Criterion {
    /// Without label smoothing, as figures are reported.
    fn from(loss: Loss) -> Self {
        Self {
            loss,
            label_smoothing: 0.0,
        }
    }
}

/// The kinds of cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `torch.nn.CrossEntropyLoss` on the logits; a final softmax layer is left out of it.
    CrossEntropy,
    /// `torch.nn.CrossEntropyLoss` on the output of the final softmax layer, which so passes
    /// through a softmax twice. It can't fall below 1.4612 with ten classes and learns more
    /// slowly: a common mistake, kept to reproduce published results that contain it.
    CrossEntropyOnSoftmax,
}

/// The mean loss of a batch: `logits` `[batch, classes]`, `targets` `[batch]`, result `[1]`.
pub fn loss(criterion: Criterion, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let scores = match criterion.loss {
        Loss::CrossEntropy => logits,
        Loss::CrossEntropyOnSoftmax => softmax(logits, 1),
    };
    let batch = targets.dims()[0];
    let targets = targets.reshape([batch, 1]);
    let log_probabilities = log_softmax(scores, 1);
    let on_target = log_probabilities.clone().gather(1, targets).mean().neg();
    match criterion.label_smoothing {
        0.0 => on_target,
        smoothing => on_target * (1.0 - smoothing) + log_probabilities.mean().neg() * smoothing,
    }
}

/// One image's loss in double precision, from its ten logits.
pub fn loss_of(criterion: Criterion, logits: &[f32], target: usize) -> f64 {
    let scores = match criterion.loss {
        Loss::CrossEntropy => logits.iter().map(|&logit| f64::from(logit)).collect(),
        Loss::CrossEntropyOnSoftmax => probabilities(logits),
    };
    cross_entropy(&scores, target, criterion.label_smoothing)
}

/// Softmax in double precision.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits
        .iter()
        .map(|&logit| f64::from(logit - max).exp())
        .collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
}

/// The index of the largest value; the first of several equal ones, as `torch.argmax` on CPU.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// `log(sum(exp(scores))) - scores[target]`, with the largest score taken out first; of the
/// target's share, `smoothing` is taken from all scores alike.
fn cross_entropy(scores: &[f64], target: usize, smoothing: f64) -> f64 {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    max + sum.ln() - scores[target] - smoothing * (mean - scores[target])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn host_and_device_losses_agree() {
        let device = burn::tensor::Device::flex();
        let logits = [1.5f32, -0.3, 4.0, 0.1, 0.2, 0.3, -7.0, 2.0, 0.0, 1.0];
        let kinds = [Loss::CrossEntropy, Loss::CrossEntropyOnSoftmax];
        let all = kinds.map(|loss| {
            [0.0, 0.1].map(|label_smoothing| Criterion {
                loss,
                label_smoothing,
            })
        });
        for criterion in all.into_iter().flatten() {
            for target in 0..10usize {
                let on_device = loss(
                    criterion,
                    Tensor::from_data(TensorData::new(logits.to_vec(), [1, 10]), &device),
                    Tensor::from_data(TensorData::new(vec![target as i32], [1]), &device),
                );
                let on_device = f64::from(on_device.into_scalar::<f32>());
                let on_host = loss_of(criterion, &logits, target);
                assert!((on_device - on_host).abs() < 1e-5, "{criterion:?} {target}");
            }
        }
    }

    #[test]
    fn the_published_loss_cannot_fall_below_its_floor() {
        // Certain and right: softmax gives 1 for the target, 0 elsewhere.
        let mut logits = [0.0f32; 10];
        logits[3] = 1000.0;
        let floor = (std::f64::consts::E + 9.0).ln() - 1.0;
        assert!((loss_of(Loss::CrossEntropyOnSoftmax.into(), &logits, 3) - floor).abs() < 1e-12);
        assert!((floor - 1.4612).abs() < 5e-5);
        assert_eq!(loss_of(Loss::CrossEntropy.into(), &logits, 3), 0.0);
    }
}
