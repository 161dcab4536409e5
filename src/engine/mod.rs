//! What computes: a network that learns and predicts, on our kernels or with burn's operations.
//!
//! [`Engine`] is all that training and evaluation see of it. There are two: [`Native`], our kernels for
//! the processor, and [`OnBurn`], burn's operations on any of burn's devices, which every kernel is
//! tested against. [`Backend`] names them on the command line; [`Compute`] is a backend on this
//! machine, and makes engines.

mod backend;
mod error;
mod feature_maps;
pub mod loss;
mod model;
mod native;
mod on_burn;

use std::fmt::Debug;

use crate::dataset::{Batch, Normalize};
use crate::network::{NamedTensor, Plan, StateError};
use crate::optimizer::{OptimizerSpec, OptimizerState};

pub use backend::{Backend, Compute, available_threads, with_threads};
pub use error::EngineError;
pub use feature_maps::{FeatureMaps, feature_maps};
pub use loss::{Criterion, Loss};
pub use model::Model;
pub use native::Native;
pub use on_burn::OnBurn;

/// What an engine is made from.
#[derive(Debug, Clone)]
pub struct Setup {
    pub plan: Plan,
    pub normalize: Normalize,
    /// The first weights follow from it.
    pub seed: u64,
    pub optimizer: OptimizerSpec,
    pub criterion: Criterion,
    /// `torch.nn.utils.clip_grad_norm_`'s `max_norm`.
    pub clip_grad_norm: Option<f64>,
    /// Of the exponential moving average of the weights that evaluation uses.
    pub ema_decay: Option<f64>,
}

/// A batch's loss and right answers; in training as they were before its step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepFigures {
    pub images: u64,
    pub correct: u64,
    /// Over all images of the batch.
    pub loss_sum: f64,
}

impl StepFigures {
    /// Adds answers: `logits` row-major `[batch, classes]`.
    pub fn add_logits(&mut self, criterion: Criterion, logits: &[f32], labels: &[u8]) {
        let classes = logits.len() / labels.len().max(1);
        for (row, &label) in logits.chunks_exact(classes.max(1)).zip(labels) {
            let label = usize::from(label);
            self.loss_sum += loss::loss_of(criterion, row, label);
            self.correct += u64::from(loss::argmax(row) == label);
        }
        self.images += labels.len() as u64;
    }

    /// The mean over the batch.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }
}

/// A network with its optimizer's state, the moving average of its weights, and its threads.
pub trait Engine: Debug + Send {
    /// Learns from a batch: forward, loss, backward, update. What dropout drops follows from
    /// `random`.
    ///
    /// Returns the figures of the steps that have become known with this one, in their order: an
    /// engine that would have to wait for its device at each step leaves them there for a while.
    fn step(&mut self, batch: Batch<'_>, lr: f64, random: u64) -> Vec<StepFigures>;

    /// The figures of the steps that are not known yet.
    fn flush(&mut self) -> Vec<StepFigures>;

    /// Logits of images of 784 bytes by the average where there is one, as in evaluation: row-major
    /// `[image, class]`.
    fn logits(&self, images: &[&[u8]]) -> Vec<f32>;

    /// Every parameter and buffer as they are trained, in the plan's order.
    fn state(&self) -> Vec<NamedTensor>;

    /// Replaces every parameter and buffer.
    fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError>;

    /// The average of every parameter and buffer; `None` without `ema_decay` and before the first
    /// step.
    fn average(&self) -> Option<Vec<NamedTensor>>;

    /// Continues from the average that [`average`](Self::average) gave.
    fn load_average(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError>;

    /// The optimizer's state, for a checkpoint.
    fn optimizer_state(&self) -> OptimizerState;

    /// Continues from `state`, or says why it can't have come from training this network.
    fn load_optimizer_state(&mut self, state: &OptimizerState) -> Result<(), String>;
}
