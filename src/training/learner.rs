//! A network that learns: its parameters, the optimizer's state, and a training step.

use burn::module::Module;
use burn::tensor::Device;

use super::loss;
use super::optimizer::{FlatOptimizer, Optimizer, OptimizerState};
use super::tally::Tally;
use crate::backend::Engine;
use crate::dataset::{Batch, Batcher, targets};
use crate::network::{FusedNetwork, NamedTensor, Network, Plan, StateError, to_host};
use crate::recipe::{Loss, Recipe};

/// A network and its optimizer, on burn's operations or on our kernels.
#[derive(Debug)]
pub enum Learner {
    Plain(Box<Plain>),
    Fused(Box<Fused>),
}

/// Burn's operations with autodiff, on any device.
#[derive(Debug)]
pub struct Plain {
    network: Network,
    optimizer: Optimizer,
    batcher: Batcher,
    /// With autodiff.
    device: Device,
}

/// Our kernels, on the processor.
#[derive(Debug)]
pub struct Fused {
    network: FusedNetwork,
    optimizer: FlatOptimizer,
}

impl Learner {
    /// A fresh network, whose weights follow from the recipe's seed alone, and a fresh optimizer.
    pub fn new(recipe: &Recipe, plan: &Plan, engine: &Engine) -> Self {
        let device = engine.device.clone().autodiff();
        let network = Network::new(plan, recipe.training.seed, &device);
        let Some(isa) = engine.fused else {
            return Learner::Plain(Box::new(Plain {
                network,
                optimizer: Optimizer::new(recipe.optimizer.clone()),
                batcher: Batcher::new(recipe.data.normalize),
                device,
            }));
        };
        let threads = rayon::current_num_threads();
        let mut fused = FusedNetwork::new(plan, recipe.data.normalize, threads, isa);
        fused
            .load_state(&network.state())
            .expect("both are built from the same plan, with finite weights");
        Learner::Fused(Box::new(Fused {
            optimizer: FlatOptimizer::new(recipe.optimizer.clone(), fused.len()),
            network: fused,
        }))
    }

    /// Every parameter and buffer, in layer order.
    pub fn state(&self) -> Vec<NamedTensor> {
        match self {
            Learner::Plain(plain) => plain.network.state(),
            Learner::Fused(fused) => fused.network.state(),
        }
    }

    /// Replaces every parameter and buffer.
    pub fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        match self {
            Learner::Plain(plain) => {
                let network = plain.network.clone();
                plain.network = network.load_state(tensors, &plain.device)?;
                Ok(())
            }
            Learner::Fused(fused) => fused.network.load_state(tensors),
        }
    }

    /// The optimizer's state, for a checkpoint.
    pub fn optimizer_state(&self) -> OptimizerState {
        match self {
            Learner::Plain(plain) => plain.optimizer.state(),
            Learner::Fused(fused) => fused.optimizer.state(&fused.network),
        }
    }

    /// Continues from `state`, or says why it can't have come from training this network.
    pub fn load_optimizer_state(&mut self, state: &OptimizerState) -> Result<(), String> {
        match self {
            Learner::Plain(plain) => {
                plain
                    .optimizer
                    .load_state(state, &plain.network, &plain.device)
            }
            Learner::Fused(fused) => fused.optimizer.load_state(state, &fused.network),
        }
    }

    /// Learns from a batch: forward, loss, backward, update. Returns the batch's loss and right
    /// answers, as they were before the update. What dropout drops follows from `random`.
    pub fn step(&mut self, batch: Batch<'_>, kind: Loss, lr: f64, random: u64) -> Tally {
        match self {
            Learner::Plain(plain) => plain.step(batch, kind, lr, random),
            Learner::Fused(fused) => {
                let loss = fused.network.backward(batch, kind, (random >> 32) as u32);
                fused.optimizer.step(lr, &mut fused.network);
                Tally {
                    images: batch.images.len() as u64,
                    correct: loss.correct,
                    loss_sum: loss.loss_sum,
                }
            }
        }
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        match self {
            Learner::Plain(plain) => {
                let device = plain.device.clone().without_autodiff();
                let input = plain.batcher.images(images.iter().copied(), &device);
                to_host(&plain.network.valid().forward(input))
            }
            Learner::Fused(fused) => fused.network.logits(images),
        }
    }
}

impl Plain {
    fn step(&mut self, batch: Batch<'_>, kind: Loss, lr: f64, random: u64) -> Tally {
        let images = batch.images.iter().copied();
        let images = self.batcher.images(images, &self.device);
        // Dropout draws from the device's generator.
        self.device.seed(random);
        let logits = self.network.forward_train(images);
        let mut tally = Tally::default();
        tally.add(kind, &to_host(&logits), batch.labels);
        if tally.loss_sum.is_finite() {
            let loss = loss::loss(kind, logits, targets(batch.labels, &self.device));
            let gradients = loss.backward();
            self.optimizer.step(lr, &mut self.network, &gradients);
        }
        tally
    }
}
