//! Networks on our kernels: they learn and predict on the processor, many times as fast as operation
//! by operation.
//!
//! Nothing here goes through burn's tensors: dispatching an operation, recording it for autodiff
//! and allocating its result cost more than a small network's arithmetic. A plan's layers are
//! grouped into stages ([`KernelGraph`], `stage.rs`), and a batch passes them in blocks, one image in
//! each lane of a register. What a block needs stays in one thread's cache, from the image's bytes to
//! the logits and back; threads meet only where BatchNorm wants the whole batch, and before weights
//! change. All sums over images are taken block by block in the batch's order, so the results
//! don't depend on the number of threads.

mod backward;
mod conv;
mod forward;
mod gradient_parts;
mod layout;
mod parameters;
mod single;
mod stage;
mod training_step;
mod workspace;

use std::sync::{Mutex, MutexGuard};

use super::{Engine, EngineError, Setup, StepFigures};
use crate::dataset::{Batch, CLASSES, SIDE};
use crate::kernels::{Affine, Buffer, Isa, Workers, gather, lerp, scale, sum_of_squares};
use crate::network::{KernelGraph, NamedTensor, StateError};
use crate::optimizer::{HostMoment, Moments, OptimizerState};

use conv::ConvWeights;
use forward::{NormPass, Pass};
use layout::Value;
use parameters::{Parameters, Weights};
use single::Single;
use stage::{MAX_BLOCKS, Source, Stage};
use training_step::TrainingStep;
use workspace::{Workspace, before_linear};

/// Up to this many images are faster one by one than as a block.
const FEW: usize = 4;

/// Values that one thread computes or updates at a time.
const PIECE: usize = 8 << 10;

/// A network on our kernels, with its optimizer and the moving average of its weights.
#[derive(Debug)]
pub struct Native {
    setup: Setup,
    network: Network,
    /// Steps taken, and the optimizer's moments: zeros before the first step, empty where it keeps
    /// none.
    steps: u64,
    moments: [Buffer; 2],
    average: Option<Weights>,
}

/// The network itself: its weights and what it needs to compute.
#[derive(Debug)]
struct Network {
    shared: Shared,
    weights: Weights,
    /// Of all trained parameters, in the kernels' layout.
    gradients: Buffer,
    norms: Vec<NormPass>,
    workers: Workers,
    step: TrainingStep,
    /// Memory to predict in that no thread is using.
    idle: Mutex<Vec<Workspace>>,
    /// Where there is a shorter way for single images.
    single: Option<Mutex<Single>>,
}

/// What never changes, and every thread reads.
#[derive(Debug)]
struct Shared {
    isa: Isa,
    stages: Vec<Stage>,
    values: Vec<Value>,
    parameters: Parameters,
    /// A byte's value in the input is `byte * scale + shift`.
    scale: f32,
    shift: f32,
}

/// Nothing that holds one of these locks waits for another, or leaves half of something behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Shared {
    /// A block's images as the first value.
    fn gather(&self, images: &[&[u8]], x: &mut [f32]) {
        let layout = self.values[0].layout;
        // A vector's only row holds the image's rows one after the other.
        let row = layout.row.min(layout.channel / SIDE);
        let x = &mut x[layout.offset..];
        gather(self.isa, images, SIDE, self.scale, self.shift, x, row);
    }

    /// A stage's weights as the forward pass reads them.
    fn conv_weights(&self, weights: &Weights, stage: &Stage) -> ConvWeights {
        let Source::Conv(conv) = &stage.source else {
            return ConvWeights::default();
        };
        let mut of_conv = ConvWeights::for_evaluation(conv);
        let weights = &weights.values[conv.weight.range.clone()];
        of_conv.forward.compute(self.isa, conv, weights);
        of_conv
    }
}

impl Native {
    /// A network with its first weights, on this many threads.
    ///
    /// # Errors
    /// When it has a layer that the kernels can't run.
    pub fn new(setup: Setup, isa: Isa, threads: usize) -> Result<Self, EngineError> {
        let graph = KernelGraph::new(&setup.plan).map_err(EngineError::Unsupported)?;
        let parameters = Parameters::new(&setup.plan);
        let initial = setup.plan.initial_state(setup.seed);
        let weights = parameters.weights(&initial.iter().collect::<Vec<_>>());
        let values = stage::values(&graph, isa);
        let stages = stage::stages(&graph, &values, &parameters, isa);
        let std = setup.normalize.std as f32;
        let shared = Shared {
            isa,
            stages,
            values,
            parameters,
            scale: 1.0 / (255.0 * std),
            shift: -setup.normalize.mean as f32 / std,
        };
        let network = Network {
            gradients: Buffer::zeros(shared.parameters.len()),
            norms: vec![NormPass::default(); shared.stages.len()],
            workers: Workers::new(threads),
            step: TrainingStep::new(&shared),
            idle: Mutex::new(Vec::new()),
            single: Single::new(&shared.stages, &shared.values, isa, threads).map(Mutex::new),
            weights,
            shared,
        };
        Ok(Self {
            setup,
            network,
            steps: 0,
            moments: [Buffer::default(), Buffer::default()],
            average: None,
        })
    }

    /// Computes the gradients of a batch's mean loss by every parameter, with their names and in
    /// PyTorch's order, without moving a weight. `key` decides what dropout drops.
    pub fn gradients(&mut self, batch: Batch<'_>, key: u32) -> (f64, Vec<NamedTensor>) {
        let loss = self.network.backward(batch, self.setup.criterion, key);
        let gradients = self
            .network
            .shared
            .parameters
            .export(&self.network.gradients);
        (loss.loss_sum / batch.images.len() as f64, gradients)
    }

    /// Moves all parameters one step against their gradients.
    fn update(&mut self, lr: f64) {
        self.steps += 1;
        let len = self.network.weights.values.len();
        for (moment, keeps) in self.moments.iter_mut().zip(self.setup.optimizer.moments()) {
            if keeps && moment.is_empty() {
                *moment = Buffer::zeros(len);
            }
        }
        let rule = self.setup.optimizer.rule(lr, self.steps);
        let isa = self.network.shared.isa;
        let [first, second] = &mut self.moments;
        let (mut first, mut second) = (first.chunks_mut(PIECE), second.chunks_mut(PIECE));
        let values = self.network.weights.values.chunks_mut(PIECE);
        let pairs = values.zip(self.network.gradients.chunks(PIECE));
        let pieces: Vec<_> = pairs
            .map(|(values, gradients)| {
                let moments = [&mut first, &mut second].map(|m| m.next().unwrap_or_default());
                Mutex::new((values, gradients, moments))
            })
            .collect();
        self.network.workers.run(pieces.len(), |item| {
            let (values, gradients, [first, second]) = &mut *lock(&pieces[item]);
            rule.update(isa, values, gradients, [first, second]);
        });
    }

    /// Moves the average towards the weights; it begins as a copy of them.
    fn move_average(&mut self, decay: f64) {
        let Some(average) = &mut self.average else {
            self.average = Some(self.network.weights.clone());
            return;
        };
        // In double precision before it meets the weights, as in PyTorch.
        let part = (1.0 - decay) as f32;
        let isa = self.network.shared.isa;
        let values = average.values.chunks_mut(PIECE);
        let pieces: Vec<_> = values
            .zip(self.network.weights.values.chunks(PIECE))
            .map(Mutex::new)
            .collect();
        self.network.workers.run(pieces.len(), |item| {
            let (average, values) = &mut *lock(&pieces[item]);
            lerp(isa, average, values, part);
        });
        let running = average.running.iter_mut().flatten();
        for (average, now) in running.zip(self.network.weights.running.iter().flatten()) {
            *average += (now - *average) * part;
        }
    }

    fn read(&self, tensors: &[NamedTensor]) -> Result<Weights, StateError> {
        let state = self.setup.plan.check_state(tensors)?;
        Ok(self.network.shared.parameters.weights(&state))
    }
}

impl Engine for Native {
    fn step(&mut self, batch: Batch<'_>, lr: f64, random: u64) -> Vec<StepFigures> {
        let key = (random >> 32) as u32;
        let loss = self.network.backward(batch, self.setup.criterion, key);
        if let Some(max_norm) = self.setup.clip_grad_norm {
            self.network.clip_gradients(max_norm);
        }
        self.update(lr);
        if let Some(decay) = self.setup.ema_decay {
            self.move_average(decay);
        }
        vec![StepFigures {
            images: batch.images.len() as u64,
            correct: loss.correct,
            loss_sum: loss.loss_sum,
        }]
    }

    fn flush(&mut self) -> Vec<StepFigures> {
        Vec::new()
    }

    fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        let weights = self.average.as_ref().unwrap_or(&self.network.weights);
        self.network.logits(weights, images)
    }

    fn state(&self) -> Vec<NamedTensor> {
        self.network.shared.parameters.state(&self.network.weights)
    }

    fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        self.network.weights = self.read(tensors)?;
        Ok(())
    }

    fn average(&self) -> Option<Vec<NamedTensor>> {
        let average = self.average.as_ref()?;
        Some(self.network.shared.parameters.state(average))
    }

    fn load_average(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        self.average = Some(self.read(tensors)?);
        Ok(())
    }

    fn optimizer_state(&self) -> OptimizerState {
        if self.steps == 0 {
            return OptimizerState::default();
        }
        let parameters = &self.network.shared.parameters;
        let host = |moment: &Buffer, number| -> HostMoment {
            (!moment.is_empty()).then(|| parameters.to_torch(number, moment))
        };
        let [first, second] = &self.moments;
        let moments = parameters.trained().map(|number| Moments {
            name: parameters.name(number).to_string(),
            first: host(first, number),
            second: host(second, number),
        });
        OptimizerState {
            steps: self.steps,
            moments: moments.collect(),
        }
    }

    fn load_optimizer_state(&mut self, state: &OptimizerState) -> Result<(), String> {
        state.check(&self.setup.plan)?;
        self.steps = state.steps;
        let parameters = &self.network.shared.parameters;
        let moment = |of: fn(&Moments) -> Option<&Vec<f32>>| {
            let parts = state.moments.iter().map(|m| of(m).map(Vec::as_slice));
            parameters.import(parts)
        };
        let [first, second] = self.setup.optimizer.moments();
        let none = Buffer::default;
        self.moments = [
            if first {
                moment(|m| m.first.as_ref())
            } else {
                none()
            },
            if second {
                moment(|m| m.second.as_ref())
            } else {
                none()
            },
        ];
        Ok(())
    }
}

impl Network {
    /// Logits by these weights: row-major `[image, class]`.
    fn logits(&self, weights: &Weights, images: &[&[u8]]) -> Vec<f32> {
        let shared = &self.shared;
        let lanes = shared.isa.lanes();
        let blocks = images.len().div_ceil(lanes);
        let together = blocks.div_ceil(self.workers.threads()).clamp(1, MAX_BLOCKS);
        let norms: Vec<NormPass> = shared
            .stages
            .iter()
            .map(|stage| norm_in_evaluation(weights, stage))
            .collect();
        let mut pass = Pass {
            isa: shared.isa,
            stages: &shared.stages,
            values: &shared.values,
            weights: &weights.values,
            conv_weights: &[],
            norms: &norms,
            training: None,
        };
        if let (true, Some(single)) = (images.len() <= FEW, &self.single) {
            let mut single = lock(single);
            let logits = images.iter().flat_map(|image| {
                let (scale, shift) = (shared.scale, shared.shift);
                single
                    .logits(&pass, &self.workers, image, scale, shift)
                    .to_vec()
            });
            return logits.collect();
        }
        let conv_weights: Vec<ConvWeights> = shared
            .stages
            .iter()
            .map(|stage| shared.conv_weights(weights, stage))
            .collect();
        pass.conv_weights = &conv_weights;
        let mut logits = vec![0.0; images.len() * CLASSES];
        let parts = logits.chunks_mut(together * lanes * CLASSES);
        let parts: Vec<_> = parts
            .zip(images.chunks(together * lanes))
            .map(Mutex::new)
            .collect();
        let idle = &self.idle;
        self.workers.run(parts.len(), |item| {
            let mut part = lock(&parts[item]);
            let (logits, images) = &mut *part;
            let found = lock(idle).pop();
            let mut workspace = match found {
                Some(workspace) if workspace.capacity >= images.len().div_ceil(lanes) => workspace,
                _ => {
                    let (stages, values) = (&shared.stages, &shared.values);
                    Workspace::for_evaluation(stages, values, together, shared.isa)
                }
            };
            predict(&pass, shared, &mut workspace, images);
            let of_blocks = &workspace.values[shared.values.len() - 1];
            for (image, logits) in logits.chunks_exact_mut(CLASSES).enumerate() {
                let block = &of_blocks[image / lanes * lanes * CLASSES..];
                for (class, logit) in logits.iter_mut().enumerate() {
                    *logit = block[class * lanes + image % lanes];
                }
            }
            lock(idle).push(workspace);
        });
        logits
    }

    /// `torch.nn.utils.clip_grad_norm_` on the gradients of the last batch: when all of them
    /// together are longer than `max_norm`, shortens them to it.
    fn clip_gradients(&mut self, max_norm: f64) {
        let isa = self.shared.isa;
        // Each piece's sum has its place, so that the threads don't change the norm.
        let pieces = self.gradients.chunks(PIECE);
        let sums: Vec<_> = pieces.map(|piece| Mutex::new((piece, 0.0))).collect();
        self.workers.run(sums.len(), |item| {
            let (piece, sum) = &mut *lock(&sums[item]);
            *sum = f64::from(sum_of_squares(isa, piece));
        });
        let norm = sums.iter().map(|sum| lock(sum).1).sum::<f64>().sqrt();
        drop(sums);
        // With PyTorch's 1e-6.
        let factor = max_norm / (norm + 1e-6);
        if factor < 1.0 {
            let pieces: Vec<_> = self.gradients.chunks_mut(PIECE).map(Mutex::new).collect();
            self.workers.run(pieces.len(), |item| {
                scale(isa, &mut lock(&pieces[item]), factor as f32);
            });
        }
    }
}

/// A stage's BatchNorm by the running statistics.
fn norm_in_evaluation(weights: &Weights, stage: &Stage) -> NormPass {
    let Some(norm) = &stage.norm else {
        return NormPass::default();
    };
    let (means, variances) = (&weights.running[norm.mean], &weights.running[norm.variance]);
    let affine = (0..norm.channels).map(|channel| Affine {
        mean: means[channel],
        scale: weights.values[norm.weight.range.start + channel]
            / (variances[channel] + norm.eps as f32).sqrt(),
        shift: weights.values[norm.bias.range.start + channel],
    });
    NormPass {
        affine: affine.collect(),
        ..NormPass::default()
    }
}

/// The images of one workspace through the whole network.
fn predict(pass: &Pass<'_>, shared: &Shared, workspace: &mut Workspace, images: &[&[u8]]) {
    let lanes = pass.isa.lanes();
    workspace.take(0, images.len(), lanes);
    let alone = before_linear(pass.stages);
    let len = pass.values[0].len;
    for (block, images) in images.chunks(lanes).enumerate() {
        let x = &mut workspace.values[0];
        let start = if x.len() > len { block * len } else { 0 };
        shared.gather(images, &mut x[start..]);
        for index in 0..alone {
            forward::source(pass, workspace, index, block);
        }
    }
    for index in alone..pass.stages.len() {
        match &pass.stages[index].source {
            Source::Linear(own) => forward::linear(pass, workspace, index, own),
            _ => {
                for block in 0..workspace.blocks {
                    forward::source(pass, workspace, index, block);
                }
            }
        }
    }
}
