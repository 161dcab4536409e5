//! A network that learns: its parameters, the optimizer's state, and a training step.

use burn::module::Module;
use burn::tensor::Device;

use super::burn_order;
use super::flat_optimizer::FlatOptimizer;
use super::loss;
use super::optimizer::Optimizer;
use super::optimizer_state::OptimizerState;
use super::running_metrics::RunningMetrics;
use super::step_figures::StepFigures;
use crate::backend::Engine;
use crate::dataset::{Batch, Batcher, CLASSES, targets};
use crate::network::{FusedNetwork, NamedTensor, Network, Plan, StateError, Weights, to_host};
use crate::recipe::{Criterion, Recipe};

/// A network and its optimizer, on burn's operations or on our kernels, and with `ema_decay` the
/// moving average of its weights.
#[derive(Debug)]
pub struct Learner {
    engine: Computing,
    criterion: Criterion,
    clip_grad_norm: Option<f64>,
    ema_decay: Option<f64>,
    /// Of every trainable parameter, in layer order.
    parameters: Vec<(String, Vec<usize>)>,
}

#[derive(Debug)]
enum Computing {
    Plain(Box<Plain>),
    Fused(Box<Fused>),
}

/// Burn's operations with autodiff, on any device.
#[derive(Debug)]
struct Plain {
    network: Network,
    optimizer: Optimizer,
    /// On the host: this side is for devices that don't need to be fast, and for comparison.
    average: Option<Vec<NamedTensor>>,
    batcher: Batcher,
    /// With autodiff.
    device: Device,
}

/// Our kernels, on the processor.
#[derive(Debug)]
struct Fused {
    network: FusedNetwork,
    optimizer: FlatOptimizer,
    average: Option<Weights>,
}

impl Learner {
    /// A fresh network, whose weights follow from the recipe's seed alone, and a fresh optimizer.
    pub fn new(recipe: &Recipe, plan: &Plan, engine: &Engine) -> Self {
        let device = engine.device.clone().autodiff();
        let network = Network::new(plan, recipe.training.seed, &device);
        let engine = match engine.fused {
            None => Computing::Plain(Box::new(Plain {
                network,
                optimizer: Optimizer::new(recipe.optimizer.clone()),
                average: None,
                batcher: Batcher::new(recipe.data.normalize),
                device,
            })),
            Some(isa) => {
                let threads = rayon::current_num_threads();
                let mut fused = FusedNetwork::new(plan, recipe.data.normalize, threads, isa);
                fused
                    .load_state(&network.state())
                    .expect("both are built from the same plan, with finite weights");
                Computing::Fused(Box::new(Fused {
                    optimizer: FlatOptimizer::new(recipe.optimizer.clone(), fused.len()),
                    network: fused,
                    average: None,
                }))
            }
        };
        Self {
            engine,
            criterion: recipe.training.criterion(),
            clip_grad_norm: recipe.training.clip_grad_norm,
            ema_decay: recipe.training.ema_decay,
            parameters: burn_order::parameter_shapes(plan),
        }
    }

    /// Every parameter and buffer as they are trained, in layer order.
    pub fn state(&self) -> Vec<NamedTensor> {
        match &self.engine {
            Computing::Plain(plain) => plain.network.state(),
            Computing::Fused(fused) => fused.network.state(),
        }
    }

    /// Replaces every parameter and buffer.
    pub fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        match &mut self.engine {
            Computing::Plain(plain) => {
                let network = plain.network.clone();
                plain.network = network.load_state(tensors, &plain.device)?;
                Ok(())
            }
            Computing::Fused(fused) => fused.network.load_state(tensors),
        }
    }

    /// The average of every parameter and buffer; `None` without `ema_decay` and before the first
    /// step.
    pub fn average(&self) -> Option<Vec<NamedTensor>> {
        match &self.engine {
            Computing::Plain(plain) => plain.average.clone(),
            Computing::Fused(fused) => {
                let average = fused.average.as_ref()?;
                Some(fused.network.state_of(average))
            }
        }
    }

    /// Continues from the average that [`average`](Self::average) gave.
    pub fn load_average(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        match &mut self.engine {
            Computing::Plain(plain) => {
                // Only for its checks.
                plain.network.clone().load_state(tensors, &plain.device)?;
                plain.average = Some(tensors.to_vec());
            }
            Computing::Fused(fused) => fused.average = Some(fused.network.read(tensors)?),
        }
        Ok(())
    }

    /// The optimizer's state, for a checkpoint.
    pub fn optimizer_state(&self) -> OptimizerState {
        let state = match &self.engine {
            Computing::Plain(plain) => plain.optimizer.state(),
            Computing::Fused(fused) => fused.optimizer.state(&fused.network),
        };
        burn_order::to_pytorch(state.steps, state.moments, &self.parameters)
            .expect("the optimizer has moments for each of the network's parameters")
    }

    /// Continues from `state`, or says why it can't have come from training this network.
    pub fn load_optimizer_state(&mut self, state: &OptimizerState) -> Result<(), String> {
        state.check(&self.parameters)?;
        let state = super::optimizer::OptimizerState {
            steps: state.steps,
            moments: burn_order::from_pytorch(state, &self.parameters),
        };
        match &mut self.engine {
            Computing::Plain(plain) => {
                plain
                    .optimizer
                    .load_state(&state, &plain.network, &plain.device)
            }
            Computing::Fused(fused) => fused.optimizer.load_state(&state, &fused.network),
        }
    }

    /// Learns from a batch: forward, loss, backward, update. What dropout drops follows from
    /// `random`. Returns the figures of all steps that have become known with this one, in order.
    pub fn step(&mut self, batch: Batch<'_>, lr: f64, random: u64) -> Vec<StepFigures> {
        let (criterion, clip) = (self.criterion, self.clip_grad_norm);
        let metrics = match &mut self.engine {
            Computing::Plain(plain) => plain.step(batch, criterion, lr, clip, random),
            Computing::Fused(fused) => {
                let key = (random >> 32) as u32;
                let loss = fused.network.backward(batch, criterion, key);
                if let Some(max_norm) = clip {
                    fused.network.clip_gradients(max_norm);
                }
                fused.optimizer.step(lr, &mut fused.network);
                RunningMetrics {
                    images: batch.images.len() as u64,
                    correct: loss.correct,
                    loss_sum: loss.loss_sum,
                }
            }
        };
        if let Some(decay) = self.ema_decay {
            // In double precision before it meets the weights, as in PyTorch.
            self.move_average((1.0 - decay) as f32);
        }
        vec![StepFigures {
            loss: metrics.figures().loss,
            images: metrics.images,
            correct: metrics.correct,
        }]
    }

    /// The figures that are not known yet, in order.
    pub fn flush(&mut self) -> Vec<StepFigures> {
        Vec::new()
    }

    /// Moves the average by `part` of the way to the weights; it begins as a copy of them.
    fn move_average(&mut self, part: f32) {
        match &mut self.engine {
            Computing::Plain(plain) => {
                let now = plain.network.state();
                let Some(average) = &mut plain.average else {
                    plain.average = Some(now);
                    return;
                };
                for (average, now) in average.iter_mut().zip(&now) {
                    for (average, now) in average.values.iter_mut().zip(&now.values) {
                        *average += (now - *average) * part;
                    }
                }
            }
            Computing::Fused(fused) => match &mut fused.average {
                None => fused.average = Some(fused.network.weights().clone()),
                Some(average) => fused.network.average(average, part),
            },
        }
    }

    /// Logits of images of 784 bytes by the average where there is one, as in evaluation: row-major
    /// `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        match &self.engine {
            Computing::Plain(plain) => plain.logits(images),
            Computing::Fused(fused) => {
                let weights = fused.average.as_ref().unwrap_or(fused.network.weights());
                fused.network.logits_of(weights, images)
            }
        }
    }
}

impl Plain {
    fn step(
        &mut self,
        batch: Batch<'_>,
        criterion: Criterion,
        lr: f64,
        clip: Option<f64>,
        random: u64,
    ) -> RunningMetrics {
        let images = batch.images.iter().copied();
        let images = self.batcher.images(images, &self.device);
        // Dropout draws from the device's generator.
        self.device.seed(random);
        let logits = self.network.forward_train(images);
        let mut metrics = RunningMetrics::default();
        metrics.add_logits(criterion, &to_host(&logits), batch.labels);
        if metrics.loss_sum.is_finite() {
            let targets = targets(batch.labels, &self.device);
            let gradients = loss::loss(criterion, logits, targets).backward();
            self.optimizer.step(lr, &mut self.network, &gradients, clip);
        }
        metrics
    }

    fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        let device = self.device.clone().without_autodiff();
        let input = self.batcher.images(images.iter().copied(), &device);
        let network = match &self.average {
            None => self.network.valid(),
            Some(average) => match self.network.clone().load_state(average, &self.device) {
                Ok(network) => network.valid(),
                // Weights that have overflowed have no answers, as the loss will show.
                Err(_) => return vec![f32::NAN; images.len() * CLASSES],
            },
        };
        to_host(&network.forward(input))
    }
}
