//! A network on the kernels: the same layers, parameters and results as
//! [`Network`](crate::network::Network) on flex, many times as fast.
//!
//! Nothing here goes through burn's tensors: dispatching an operation, recording it for autodiff
//! and allocating its result cost more than a small network's arithmetic. A plan's layers are
//! grouped into stages ([`planner`]), and a batch passes them in blocks, one image in each lane of
//! a register. What a block needs stays in one thread's cache, from the image's bytes to the
//! logits and back; threads meet only where BatchNorm wants the whole batch, and before weights
//! change. All sums over images are taken block by block in the batch's order, so the results
//! don't depend on the number of threads.

mod backward;
mod forward;
mod gradients;
mod parameters;
mod planner;
mod single;
mod space;
mod stage;

use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use super::{NamedTensor, Plan, StateError};
use crate::dataset::{CLASSES, SIDE};
use crate::kernels::{
    Affine, Buffer, Isa, Layout, Rule, Workers, gather, lerp, scale, sum_of_squares, update,
};
use crate::recipe::Normalize;

use forward::{NormPass, Pass};
use gradients::{Phase, Piece, phases, pieces};
use parameters::{Order, Parameter};
use single::Single;
use space::Space;
use stage::{MAX_BLOCKS, Source, Stage};

/// A network that learns and predicts on the processor.
#[derive(Debug)]
pub struct FusedNetwork {
    isa: Isa,
    stages: Vec<Stage>,
    parameters: Vec<Parameter>,
    ranges: Vec<Range<usize>>,
    weights: Weights,
    /// Of all parameters, in the kernels' order.
    gradients: Buffer,
    input: Layout,
    /// A byte's value in the input is `byte * scale + shift`.
    scale: f32,
    shift: f32,
    workers: Workers,
    phases: Vec<Phase>,
    pieces: Vec<Piece>,
    spaces: Vec<Mutex<Space>>,
    norms: Vec<NormPass>,
    /// Each conv's weights as the gradient of its input needs them.
    flipped: Vec<Vec<f32>>,
    /// Spaces to predict in that no thread is using.
    idle: Mutex<Vec<Space>>,
    /// Where there is a shorter way for single images.
    single: Option<Mutex<Single>>,
}

/// What a network has learned.
#[derive(Debug, Clone)]
pub struct Weights {
    /// All parameters, in the kernels' order.
    values: Buffer,
    /// Each stage's running mean and variance; empty without BatchNorm.
    running: Vec<[Vec<f32>; 2]>,
}

/// Up to this many images are faster one by one than as a block.
const FEW: usize = 4;

/// Values that one thread computes or updates at a time.
const PIECE: usize = 8 << 10;

impl FusedNetwork {
    /// A network for `plan` with all parameters zero; [`load_state`](Self::load_state) fills it.
    pub fn new(plan: &Plan, normalize: Normalize, threads: usize, isa: Isa) -> Self {
        let groups = planner::groups(plan);
        let (stages, parameters) = stage::stages(&groups, isa);
        let len = parameters.last().map_or(0, |last| last.range().end);
        let channels = |stage: &Stage| stage.norm.as_ref().map_or(0, |norm| norm.channels);
        let std = normalize.std as f32;
        Self {
            isa,
            ranges: parameters.iter().map(Parameter::range).collect(),
            weights: Weights {
                values: Buffer::zeros(len),
                running: stages
                    .iter()
                    .map(|stage| [vec![0.0; channels(stage)], vec![1.0; channels(stage)]])
                    .collect(),
            },
            gradients: Buffer::zeros(len),
            input: stage::first_layout(&groups, isa),
            scale: 1.0 / (255.0 * std),
            shift: -normalize.mean as f32 / std,
            workers: Workers::new(threads),
            phases: phases(&stages),
            pieces: pieces(&stages, &parameters),
            spaces: Vec::new(),
            norms: vec![NormPass::default(); stages.len()],
            flipped: stages
                .iter()
                .map(|stage| match &stage.source {
                    Source::Conv(conv) => vec![0.0; conv.flipped_len()],
                    _ => Vec::new(),
                })
                .collect(),
            idle: Mutex::new(Vec::new()),
            single: Single::new(&stages, isa).map(Mutex::new),
            stages,
            parameters,
        }
    }

    /// What the network has learned so far.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Every parameter and buffer, in layer order, as [`Network::state`](super::Network::state).
    pub fn state(&self) -> Vec<NamedTensor> {
        self.state_of(&self.weights)
    }

    /// [`state`](Self::state) of other weights of this network.
    pub fn state_of(&self, weights: &Weights) -> Vec<NamedTensor> {
        self.tensors(&weights.values, Some(&weights.running))
    }

    /// The gradients of the last batch.
    pub fn gradients(&self) -> Vec<NamedTensor> {
        self.tensors(&self.gradients, None)
    }

    fn tensors(&self, all: &[f32], running: Option<&Vec<[Vec<f32>; 2]>>) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            tensors.push(NamedTensor {
                name: parameter.name.clone(),
                shape: parameter.kind.shape(),
                values: parameter.export(all, Order::Torch),
            });
            let ends_norm = |stage: &Stage| stage.norm.as_ref().is_some_and(|n| n.bias == index);
            let stage = self.stages.iter().position(ends_norm);
            let (Some(stage), Some(running)) = (stage, running) else {
                continue;
            };
            for (name, values) in self.buffers(stage).zip(&running[stage]) {
                tensors.push(NamedTensor {
                    name,
                    shape: vec![values.len()],
                    values: values.clone(),
                });
            }
        }
        tensors
    }

    /// The names of a stage's running statistics.
    fn buffers(&self, stage: usize) -> impl Iterator<Item = String> + use<> {
        let layer = self.stages[stage].norm.as_ref().map(|norm| norm.layer);
        let names = ["running_mean", "running_var"].into_iter();
        names.filter_map(move |name| Some(format!("{}.{name}", layer?)))
    }

    /// Replaces every parameter and buffer, as [`read`](Self::read) says.
    pub fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        self.weights = self.read(tensors)?;
        Ok(())
    }

    /// The weights that tensors hold, which must be exactly the ones that [`state`](Self::state)
    /// gives.
    pub fn read(&self, tensors: &[NamedTensor]) -> Result<Weights, StateError> {
        let mut values = Buffer::zeros(self.len());
        let mut used = 0;
        for parameter in &self.parameters {
            let tensor = parameter.find(tensors)?;
            parameter.import(&mut values, &tensor.values, Order::Torch);
            used += 1;
        }
        let mut running = self.weights.running.clone();
        for (stage, own) in running.iter_mut().enumerate() {
            for (name, own) in self.buffers(stage).zip(own) {
                let shape = [own.len()];
                own.copy_from_slice(&super::state::find(tensors, name, &shape)?.values);
                used += 1;
            }
        }
        if used != tensors.len() {
            return Err(StateError::Count {
                found: tensors.len(),
                expected: used,
            });
        }
        Ok(Weights { values, running })
    }

    /// Moves `average` by `part` of the way to the network's weights.
    pub fn average(&self, average: &mut Weights, part: f32) {
        let values = average.values.chunks_mut(PIECE);
        let parts: Vec<_> = values
            .zip(self.weights.values.chunks(PIECE))
            .map(Mutex::new)
            .collect();
        let isa = self.isa;
        self.workers.run(parts.len(), |item| {
            let (average, values) = &mut *lock(&parts[item]);
            lerp(isa, average, values, part);
        });
        let running = average.running.iter_mut().flatten();
        for (average, now) in running.zip(self.weights.running.iter().flatten()) {
            for (average, now) in average.iter_mut().zip(now) {
                *average += (now - *average) * part;
            }
        }
    }

    /// How many values the kernels' vector of all parameters has.
    pub fn len(&self) -> usize {
        self.weights.values.len()
    }

    /// Whether there is nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.weights.values.is_empty()
    }

    /// The elements of each parameter, in layer order.
    pub fn sizes(&self) -> Vec<usize> {
        let shapes = self.parameters.iter().map(|p| p.kind.shape());
        shapes.map(|shape| shape.iter().product()).collect()
    }

    /// Takes a vector like the parameters' apart, in the order burn's network has them.
    pub fn export(&self, all: &[f32]) -> Vec<Vec<f32>> {
        let parameters = self.parameters.iter();
        parameters.map(|p| p.export(all, Order::Burn)).collect()
    }

    /// The inverse of [`export`](Self::export): `parts` are as long as [`sizes`](Self::sizes).
    pub fn import(&self, parts: &[&[f32]]) -> Buffer {
        let mut all = Buffer::zeros(self.len());
        for (parameter, part) in self.parameters.iter().zip(parts) {
            parameter.import(&mut all, part, Order::Burn);
        }
        all
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        self.logits_of(&self.weights, images)
    }

    /// [`logits`](Self::logits) by other weights of this network.
    pub fn logits_of(&self, weights: &Weights, images: &[&[u8]]) -> Vec<f32> {
        let n = self.isa.lanes();
        let threads = self.workers.threads();
        let blocks = images.len().div_ceil(n);
        let together = blocks.div_ceil(threads).clamp(1, MAX_BLOCKS);
        let norms: Vec<NormPass> = (0..self.stages.len())
            .map(|index| self.norm_in_evaluation(weights, index))
            .collect();
        let pass = Pass {
            isa: self.isa,
            stages: &self.stages,
            values: &weights.values,
            ranges: &self.ranges,
            norms: &norms,
            training: None,
        };
        if let (true, Some(single)) = (images.len() <= FEW, &self.single) {
            let mut single = lock(single);
            let mut logits = Vec::with_capacity(images.len() * CLASSES);
            for image in images {
                logits.extend_from_slice(single.logits(&pass, image, self.scale, self.shift));
            }
            return logits;
        }
        let source = (self.input, self.scale, self.shift);
        let idle = &self.idle;
        let mut logits = vec![0.0; images.len() * CLASSES];
        let parts = logits.chunks_mut(together * n * CLASSES);
        let parts: Vec<_> = parts
            .zip(images.chunks(together * n))
            .map(Mutex::new)
            .collect();
        self.workers.run(parts.len(), |item| {
            let mut part = lock(&parts[item]);
            let (logits, images) = &mut *part;
            let blocks = images.len().div_ceil(n);
            let found = lock(idle).pop();
            let mut space = match found {
                Some(space) if space.capacity >= blocks => space,
                _ => Space::for_evaluation(pass.stages, together),
            };
            predict(&pass, source, &mut space, images);
            for (image, logits) in logits.chunks_exact_mut(CLASSES).enumerate() {
                let block = &space.logits[image / n * n * CLASSES..];
                for (class, logit) in logits.iter_mut().enumerate() {
                    *logit = block[class * n + image % n];
                }
            }
            lock(idle).push(space);
        });
        logits
    }

    fn norm_in_evaluation(&self, weights: &Weights, index: usize) -> NormPass {
        let Some(norm) = &self.stages[index].norm else {
            return NormPass::default();
        };
        let [means, variances] = &weights.running[index];
        let affine = (0..norm.channels).map(|channel| {
            let scale = weights.values[self.ranges[norm.weight].start + channel]
                / (variances[channel] + norm.eps as f32).sqrt();
            let bias = weights.values[self.ranges[norm.bias].start + channel];
            Affine {
                mean: means[channel],
                scale,
                shift: bias,
            }
        });
        NormPass {
            affine: affine.collect(),
            ..NormPass::default()
        }
    }

    /// `torch.nn.utils.clip_grad_norm_` on the gradients of the last batch: when all of them
    /// together are longer than `max_norm`, shortens them to it.
    pub fn clip_gradients(&mut self, max_norm: f64) {
        let isa = self.isa;
        // Each piece's sum has its place, so that the threads don't change the norm.
        let sums: Vec<_> = self
            .gradients
            .chunks(PIECE)
            .map(|_| Mutex::new(0.0))
            .collect();
        let gradients = &self.gradients;
        self.workers.run(sums.len(), |item| {
            let piece = &gradients[item * PIECE..];
            let piece = &piece[..piece.len().min(PIECE)];
            *lock(&sums[item]) = f64::from(sum_of_squares(isa, piece));
        });
        let norm = sums.iter().map(|sum| *lock(sum)).sum::<f64>().sqrt();
        // With PyTorch's 1e-6.
        let factor = max_norm / (norm + 1e-6);
        if factor < 1.0 {
            let parts: Vec<_> = self.gradients.chunks_mut(PIECE).map(Mutex::new).collect();
            self.workers.run(parts.len(), |item| {
                scale(isa, &mut lock(&parts[item]), factor as f32);
            });
        }
    }

    /// Moves all parameters one step against their gradients. `first` and `second` are the
    /// optimizer's moments, as long as [`len`](Self::len), or empty where the rule has none.
    pub fn update(&mut self, rule: Rule, first: &mut [f32], second: &mut [f32]) {
        let values = self.weights.values.chunks_mut(PIECE);
        let count = values.len();
        let mut first = first.chunks_mut(PIECE);
        let mut second = second.chunks_mut(PIECE);
        let mut parts = Vec::with_capacity(count);
        for (values, gradients) in values.zip(self.gradients.chunks(PIECE)) {
            let moments = (
                first.next().unwrap_or_default(),
                second.next().unwrap_or_default(),
            );
            parts.push(Mutex::new((values, gradients, moments)));
        }
        let isa = self.isa;
        self.workers.run(count, |item| {
            let (values, gradients, (first, second)) = &mut *lock(&parts[item]);
            update(isa, rule, values, gradients, first, second);
        });
    }
}

/// Nothing that holds one of these locks waits for another, or leaves half of something behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn gather_block(isa: Isa, source: (Layout, f32, f32), images: &[&[u8]], x: &mut [f32]) {
    let (layout, scale, shift) = source;
    // A vector's only row holds the image's rows one after the other.
    let row = layout.row.min(layout.channel / SIDE);
    let x = &mut x[layout.offset..];
    gather(isa, images, SIDE, scale, shift, x, row);
}

/// The images of one space through the whole network.
fn predict(pass: &Pass<'_>, source: (Layout, f32, f32), space: &mut Space, images: &[&[u8]]) {
    let n = pass.isa.lanes();
    space.take(0, images.len(), n);
    let convs = (0..pass.stages.len())
        .take_while(|&index| space::is_before_linear(pass.stages, index))
        .count();
    for (block, images) in images.chunks(n).enumerate() {
        let x = &mut space.stages[0].x;
        let own = match convs {
            0 => &mut x[block * pass.stages[0].x_len..],
            _ => &mut x[..],
        };
        gather_block(pass.isa, source, images, own);
        for index in 0..convs {
            forward::source(pass, space, index, block);
        }
    }
    for index in convs..pass.stages.len() {
        match &pass.stages[index].source {
            Source::Linear(own) => forward::linear(pass, space, index, own),
            _ => (0..space.blocks).for_each(|block| forward::source(pass, space, index, block)),
        }
    }
}
