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
mod parameters;
mod planner;
mod single;
mod space;
mod stage;

use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use super::{NamedTensor, Plan, StateError};
use crate::dataset::{Batch, CLASSES, SIDE};
use crate::kernels::{
    Affine, Block, BlockLoss, Buffer, Isa, Layout, Rule, Slope, Workers, cross_entropy, gather,
    outer, update,
};
use crate::recipe::{Loss, Normalize};

use forward::{NormPass, Pass};
use parameters::{Order, Parameter, conv_step};
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
    /// All parameters, and their gradients, in the kernels' order.
    values: Buffer,
    gradients: Buffer,
    /// Each stage's running mean and variance; empty without BatchNorm.
    running: Vec<[Vec<f32>; 2]>,
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

/// What the threads do before they meet, and what follows when they have.
#[derive(Debug, Default)]
struct Phase {
    steps: Vec<Step>,
    then: Then,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Gather,
    Source(usize),
    AfterSource(usize),
    Loss,
    ToNorm(usize),
    ToInput(usize),
}

#[derive(Debug, Clone, Copy, Default)]
enum Then {
    /// The batch's statistics of a stage's BatchNorm.
    Statistics(usize),
    /// How its gradient passes on.
    Slopes(usize),
    #[default]
    Nothing,
}

/// A part of the gradients that one thread computes.
#[derive(Debug)]
struct Piece {
    len: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Rows of a linear layer's weights, from this input on.
    Rows {
        stage: usize,
        first: usize,
    },
    LinearBias {
        stage: usize,
    },
    /// A conv's weights, or its biases, which follow `skip` values of weights.
    Conv {
        stage: usize,
        skip: usize,
    },
    /// BatchNorm's, which are known already.
    Known,
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
            values: Buffer::zeros(len),
            gradients: Buffer::zeros(len),
            running: stages
                .iter()
                .map(|stage| [vec![0.0; channels(stage)], vec![1.0; channels(stage)]])
                .collect(),
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

    /// Every parameter and buffer, in layer order, as [`Network::state`](super::Network::state).
    pub fn state(&self) -> Vec<NamedTensor> {
        self.tensors(&self.values, true)
    }

    /// The gradients of the last batch.
    pub fn gradients(&self) -> Vec<NamedTensor> {
        self.tensors(&self.gradients, false)
    }

    fn tensors(&self, all: &[f32], with_buffers: bool) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            tensors.push(NamedTensor {
                name: parameter.name.clone(),
                shape: parameter.kind.shape(),
                values: parameter.export(all, Order::Torch),
            });
            let ends_norm = |stage: &Stage| stage.norm.as_ref().is_some_and(|n| n.bias == index);
            let Some(stage) = self.stages.iter().position(ends_norm) else {
                continue;
            };
            for (name, values) in self.buffers(stage).filter(|_| with_buffers) {
                tensors.push(NamedTensor {
                    name,
                    shape: vec![values.len()],
                    values: values.to_vec(),
                });
            }
        }
        tensors
    }

    /// The names and values of a stage's running statistics.
    fn buffers(&self, stage: usize) -> impl Iterator<Item = (String, &[f32])> {
        let layer = self.stages[stage].norm.as_ref().map(|norm| norm.layer);
        let names = ["running_mean", "running_var"].into_iter();
        let named = names.zip(&self.running[stage]);
        named.filter_map(move |(name, values)| Some((format!("{}.{name}", layer?), &values[..])))
    }

    /// Replaces every parameter and buffer by the tensors of those names, which must be exactly
    /// the ones [`state`](Self::state) gives.
    pub fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        let mut values = Buffer::zeros(self.values.len());
        let mut used = 0;
        for parameter in &self.parameters {
            let tensor = parameter.find(tensors)?;
            parameter.import(&mut values, &tensor.values, Order::Torch);
            used += 1;
        }
        let mut running = self.running.clone();
        for (stage, own) in running.iter_mut().enumerate() {
            let names: Vec<String> = self.buffers(stage).map(|(name, _)| name).collect();
            for (name, own) in names.into_iter().zip(own) {
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
        self.values = values;
        self.running = running;
        Ok(())
    }

    /// How many values the kernels' vector of all parameters has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
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
        let mut all = Buffer::zeros(self.values.len());
        for (parameter, part) in self.parameters.iter().zip(parts) {
            parameter.import(&mut all, part, Order::Burn);
        }
        all
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        let n = self.isa.lanes();
        let threads = self.workers.threads();
        let blocks = images.len().div_ceil(n);
        let together = blocks.div_ceil(threads).clamp(1, MAX_BLOCKS);
        let norms: Vec<NormPass> = (0..self.stages.len())
            .map(|index| self.norm_in_evaluation(index))
            .collect();
        let pass = Pass {
            isa: self.isa,
            stages: &self.stages,
            values: &self.values,
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

    fn norm_in_evaluation(&self, index: usize) -> NormPass {
        let Some(norm) = &self.stages[index].norm else {
            return NormPass::default();
        };
        let [means, variances] = &self.running[index];
        let affine = (0..norm.channels).map(|channel| {
            let scale = self.values[self.ranges[norm.weight].start + channel]
                / (variances[channel] + norm.eps as f32).sqrt();
            let bias = self.values[self.ranges[norm.bias].start + channel];
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

    /// Computes the gradients of a batch's mean loss, and moves BatchNorm's running statistics.
    /// Returns the batch's summed loss and right answers. `key` decides what dropout drops.
    pub fn backward(&mut self, batch: Batch<'_>, loss: Loss, key: u32) -> BlockLoss {
        self.make_room(batch.images.len());
        for (index, stage) in self.stages.iter().enumerate() {
            if stage.norm.is_some() {
                self.norms[index].mean.clone_from(&self.running[index][0]);
            }
            if let (Source::Conv(conv), true) = (&stage.source, stage.passes_gradient) {
                let w = &self.values[self.ranges[conv.weight].clone()];
                flip(conv, w, &mut self.flipped[index]);
            }
        }
        let used = self.spaces.iter_mut().filter_map(|s| s.get_mut().ok());
        let used = used.filter(|space| space.blocks > 0).count();
        for index in 0..self.phases.len() {
            let phase = &self.phases[index];
            let pass = Pass {
                isa: self.isa,
                stages: &self.stages,
                values: &self.values,
                ranges: &self.ranges,
                norms: &self.norms,
                training: Some(key),
            };
            let around = Around {
                pass,
                batch,
                loss,
                source: (self.input, self.scale, self.shift),
                flipped: &self.flipped,
            };
            let spaces = &self.spaces;
            self.workers.run(used, |item| {
                run_steps(&around, &mut lock(&spaces[item]), &phase.steps);
            });
            match phase.then {
                Then::Statistics(stage) => self.statistics(stage, batch.images.len()),
                Then::Slopes(stage) => self.slopes(stage, batch.images.len()),
                Then::Nothing => {}
            }
        }
        self.sum_gradients(used);
        let mut total = BlockLoss::default();
        for space in self.spaces.iter_mut().filter_map(|s| s.get_mut().ok()) {
            for block in &space.loss[..space.blocks] {
                total.loss_sum += block.loss_sum;
                total.correct += block.correct;
            }
        }
        total
    }

    /// Divides a batch over the spaces, making them on the first one.
    fn make_room(&mut self, images: usize) {
        let n = self.isa.lanes();
        let blocks = images.div_ceil(n);
        let room: usize = self
            .spaces
            .iter_mut()
            .filter_map(|space| Some(space.get_mut().ok()?.capacity))
            .sum();
        if room < blocks {
            let together = blocks.div_ceil(self.workers.threads()).clamp(1, MAX_BLOCKS);
            let count = blocks.div_ceil(together);
            let space = || Mutex::new(Space::for_training(&self.stages, together, self.isa));
            self.spaces = (0..count).map(|_| space()).collect();
        }
        let mut first = 0;
        for space in self.spaces.iter_mut().filter_map(|s| s.get_mut().ok()) {
            first = space.take(first, images, n);
        }
    }

    /// BatchNorm's statistics of the batch, and the running ones moved towards them.
    fn statistics(&mut self, index: usize, images: usize) {
        let Some(norm) = &self.stages[index].norm else {
            return;
        };
        let pass = &mut self.norms[index];
        let [means, variances] = &mut self.running[index];
        pass.affine.clear();
        pass.slopes.clear();
        let count = (images * norm.values) as f64;
        let spaces: Vec<_> = self.spaces.iter().map(lock).collect();
        for channel in 0..norm.channels {
            let [mut sum, mut squares] = [0.0; 2];
            for space in &spaces {
                let moments = space.stages[index].moments.chunks_exact(norm.channels);
                for block in moments.take(space.blocks) {
                    sum += f64::from(block[channel][0]);
                    squares += f64::from(block[channel][1]);
                }
            }
            let offset = sum / count;
            let mean = f64::from(pass.mean[channel]) + offset;
            let variance = (squares / count - offset * offset).max(0.0);
            let inverse = 1.0 / (variance + norm.eps).sqrt();
            let weight = f64::from(self.values[self.ranges[norm.weight].start + channel]);
            let bias = f64::from(self.values[self.ranges[norm.bias].start + channel]);
            pass.affine.push(Affine {
                mean: mean as f32,
                scale: (weight * inverse) as f32,
                shift: bias as f32,
            });
            // The gradients' sums are not known yet; this is what the weights contribute.
            pass.slopes.push(Slope {
                scale: (weight * inverse) as f32,
                slope: inverse as f32,
                mean: mean as f32,
                constant: 0.0,
            });
            let blend = |old: &mut f32, new: f64| {
                *old = (f64::from(*old) * (1.0 - norm.momentum) + new * norm.momentum) as f32;
            };
            blend(&mut means[channel], mean);
            // PyTorch normalises with the biased variance and remembers the unbiased one. A single
            // value a channel has no unbiased variance: PyTorch refuses it, we keep the old one.
            if count > 1.0 {
                blend(&mut variances[channel], variance * count / (count - 1.0));
            }
        }
    }

    /// How the gradient passes BatchNorm, and the gradients of its own parameters: the usual
    /// formulas, with x^ = (z - mean) / sqrt(variance + eps),
    /// dz = scale * (dn - mean(dn) - x^ * mean(dn * x^)).
    fn slopes(&mut self, index: usize, images: usize) {
        let Some(norm) = &self.stages[index].norm else {
            return;
        };
        let count = (images * norm.values) as f64;
        let spaces: Vec<_> = self.spaces.iter().map(lock).collect();
        for channel in 0..norm.channels {
            let [mut dbias, mut product] = [0.0; 2];
            for space in &spaces {
                let sums = space.stages[index].sums.chunks_exact(norm.channels);
                for block in sums.take(space.blocks) {
                    dbias += f64::from(block[channel][0]);
                    product += f64::from(block[channel][1]);
                }
            }
            let slope = &mut self.norms[index].slopes[channel];
            let inverse = f64::from(slope.slope);
            let dweight = product * inverse;
            let scale = f64::from(slope.scale);
            slope.constant = (-scale * dbias / count) as f32;
            slope.slope = (-scale * inverse * dweight / count) as f32;
            self.gradients[self.ranges[norm.weight].start + channel] = dweight as f32;
            self.gradients[self.ranges[norm.bias].start + channel] = dbias as f32;
        }
    }

    /// Adds up the gradients of the blocks in their order.
    fn sum_gradients(&mut self, used: usize) {
        let n = self.isa.lanes();
        let spaces: Vec<MutexGuard<'_, Space>> = self.spaces[..used].iter().map(lock).collect();
        let spaces: Vec<&Space> = spaces.iter().map(|space| &**space).collect();
        let mut rest = &mut self.gradients[..];
        let mut parts = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let (part, after) = rest.split_at_mut(piece.len);
            parts.push(Mutex::new(part));
            rest = after;
        }
        let (isa, stages, pieces) = (self.isa, &self.stages, &self.pieces);
        self.workers.run(pieces.len(), |item| {
            let part = &mut **lock(&parts[item]);
            match pieces[item].what {
                What::Rows { stage, first } => {
                    if let Source::Linear(linear) = &stages[stage].source {
                        let mut blocks = Vec::with_capacity(spaces.len() * MAX_BLOCKS);
                        for space in &spaces {
                            let own = &space.stages[stage];
                            let x = own.x.chunks_exact(stages[stage].x_len);
                            let dy = own.dz_rows.chunks_exact(n * linear.out_step);
                            let pairs = x.zip(dy).zip(&space.images).take(space.blocks);
                            blocks.extend(pairs.map(|((x, dy), &images)| Block { x, dy, images }));
                        }
                        outer(isa, &blocks, first, linear.out_step, part);
                    }
                }
                What::LinearBias { stage } => {
                    part.fill(0.0);
                    for space in &spaces {
                        let rows = space.stages[stage].dz_rows.chunks_exact(n * part.len());
                        for (rows, &images) in rows.zip(&space.images).take(space.blocks) {
                            for row in rows.chunks_exact(part.len()).take(images) {
                                add(part, row);
                            }
                        }
                    }
                }
                What::Conv { stage, skip } => {
                    if let Source::Conv(conv) = &stages[stage].source {
                        part.fill(0.0);
                        for space in &spaces {
                            let dw = space.stages[stage].dw.chunks_exact(conv.gradients_len());
                            for dw in dw.take(space.blocks) {
                                let end = if skip == 0 {
                                    conv.weights_len()
                                } else {
                                    dw.len()
                                };
                                add(part, &dw[skip..end]);
                            }
                        }
                    }
                }
                What::Known => {}
            }
        });
    }

    /// Moves all parameters one step against their gradients. `first` and `second` are the
    /// optimizer's moments, as long as [`len`](Self::len), or empty where the rule has none.
    pub fn update(&mut self, rule: Rule, first: &mut [f32], second: &mut [f32]) {
        let values = self.values.chunks_mut(PIECE);
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

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// What the threads need beside their spaces.
struct Around<'a> {
    pass: Pass<'a>,
    batch: Batch<'a>,
    loss: Loss,
    source: (Layout, f32, f32),
    flipped: &'a [Vec<f32>],
}

/// One thread's part of a phase. Steps that look at each block by itself are done for a block one
/// after the other, while it is in the cache; linear layers take all blocks together.
fn run_steps(around: &Around<'_>, space: &mut Space, steps: &[Step]) {
    let pass = &around.pass;
    let linear = |step: &Step| match *step {
        Step::Source(stage) | Step::ToInput(stage) => {
            matches!(pass.stages[stage].source, Source::Linear(_))
        }
        _ => false,
    };
    for run in steps.chunk_by(|a, b| !linear(a) && !linear(b)) {
        match *run {
            [Step::Source(index)] if linear(&run[0]) => {
                if let Source::Linear(own) = &pass.stages[index].source {
                    forward::linear(pass, space, index, own);
                }
            }
            [Step::ToInput(index)] if linear(&run[0]) => {
                if let Source::Linear(own) = &pass.stages[index].source {
                    backward::linear(pass, space, index, own);
                }
            }
            _ => {
                for block in 0..space.blocks {
                    for step in run {
                        run_step(around, space, *step, block);
                    }
                }
            }
        }
    }
}

fn run_step(around: &Around<'_>, space: &mut Space, step: Step, block: usize) {
    let pass = &around.pass;
    match step {
        Step::Gather => {
            let first = space.first_image + block * pass.isa.lanes();
            let images = &around.batch.images[first..first + space.images[block]];
            let x = &mut space.stages[0].x[block * pass.stages[0].x_len..];
            gather_block(pass.isa, around.source, images, x);
        }
        Step::Source(index) => forward::source(pass, space, index, block),
        Step::AfterSource(index) => forward::after_source(pass, space, index, block),
        Step::Loss => {
            let first = space.first_image + block * pass.isa.lanes();
            let labels = &around.batch.labels[first..first + space.images[block]];
            let last = pass.stages.len() - 1;
            let len = pass.stages[last].out_len;
            space.loss[block] = cross_entropy(
                pass.isa,
                &space.logits[block * len..][..len],
                labels,
                around.batch.images.len(),
                around.loss == Loss::CrossEntropyOnSoftmax,
                &mut space.stages[last].dy[block * len..][..len],
            );
        }
        Step::ToNorm(index) => backward::to_norm(pass, space, index, block),
        Step::ToInput(index) => backward::to_input(pass, around.flipped, space, index, block),
    }
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

/// What is done between two meetings of the threads.
fn phases(stages: &[Stage]) -> Vec<Phase> {
    let mut phases = Vec::new();
    let mut steps = vec![Step::Gather];
    for (index, stage) in stages.iter().enumerate() {
        steps.push(Step::Source(index));
        if stage.waits() {
            phases.push(Phase {
                steps: std::mem::take(&mut steps),
                then: Then::Statistics(index),
            });
            steps.push(Step::AfterSource(index));
        }
    }
    steps.push(Step::Loss);
    for (index, stage) in stages.iter().enumerate().rev() {
        steps.push(Step::ToNorm(index));
        if stage.waits() {
            phases.push(Phase {
                steps: std::mem::take(&mut steps),
                then: Then::Slopes(index),
            });
        }
        steps.push(Step::ToInput(index));
        let learns = !matches!(stage.source, Source::Input);
        if !stage.passes_gradient && !learns {
            steps.pop();
        }
        if !stage.passes_gradient {
            break;
        }
    }
    phases.push(Phase {
        steps,
        then: Then::Nothing,
    });
    phases
}

/// Divides the gradients' vector, in order and without gaps.
fn pieces(stages: &[Stage], parameters: &[Parameter]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let len = parameter.range().len();
        let whole = |what| Piece { len, what };
        for (stage, own) in stages.iter().enumerate() {
            match &own.source {
                Source::Conv(conv) if conv.weight == index => {
                    pieces.push(whole(What::Conv { stage, skip: 0 }));
                }
                Source::Conv(conv) if conv.bias == Some(index) => {
                    let skip = conv.weights_len();
                    pieces.push(whole(What::Conv { stage, skip }));
                }
                Source::Linear(linear) if linear.weight == index => {
                    let rows = (PIECE / linear.out_step).max(1);
                    pieces.extend((0..linear.ins).step_by(rows).map(|first| Piece {
                        len: rows.min(linear.ins - first) * linear.out_step,
                        what: What::Rows { stage, first },
                    }));
                }
                Source::Linear(linear) if linear.bias == Some(index) => {
                    pieces.push(whole(What::LinearBias { stage }));
                }
                _ => match &own.norm {
                    Some(norm) if norm.weight == index || norm.bias == index => {
                        pieces.push(whole(What::Known));
                    }
                    _ => {}
                },
            }
        }
    }
    pieces
}

/// A conv's weights `[in, row, column, out]` as `[out, row, column, in]`, rows and columns
/// backwards.
fn flip(conv: &stage::Conv, w: &[f32], flipped: &mut [f32]) {
    let area = conv.kernel_size * conv.kernel_size;
    let (from_step, to_step) = (conv_step(conv.outs), conv_step(conv.ins));
    for input in 0..conv.ins {
        for tap in 0..area {
            let w = &w[(input * area + tap) * from_step..][..conv.outs];
            let to = (area - 1 - tap) * to_step + input;
            let to = flipped[to..].iter_mut().step_by(area * to_step);
            for (to, &w) in to.zip(w) {
                *to = w;
            }
        }
    }
}
