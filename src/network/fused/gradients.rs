//! One batch's gradients: what the threads do, in which order, and where they meet.

use std::sync::{Mutex, MutexGuard};

use super::forward::Pass;
use super::parameters::{Parameter, conv_step};
use super::space::Space;
use super::stage::{Conv, MAX_BLOCKS, Source, Stage};
use super::{FusedNetwork, PIECE, backward, forward, gather_block, lock};
use crate::dataset::Batch;
use crate::kernels::{Affine, Block, BlockLoss, Layout, Slope, cross_entropy, outer};
use crate::recipe::{Criterion, Loss};

/// What the threads do before they meet, and what follows when they have.
#[derive(Debug, Default)]
pub(super) struct Phase {
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
pub(super) struct Piece {
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

impl FusedNetwork {
    /// Computes the gradients of a batch's mean loss, and moves BatchNorm's running statistics.
    /// Returns the batch's summed loss and right answers. `key` decides what dropout drops.
    pub fn backward(&mut self, batch: Batch<'_>, criterion: Criterion, key: u32) -> BlockLoss {
        self.make_room(batch.images.len());
        for (index, stage) in self.stages.iter().enumerate() {
            if stage.norm.is_some() {
                self.norms[index]
                    .mean
                    .clone_from(&self.weights.running[index][0]);
            }
            if let (Source::Conv(conv), true) = (&stage.source, stage.passes_gradient) {
                let w = &self.weights.values[self.ranges[conv.weight].clone()];
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
                values: &self.weights.values,
                ranges: &self.ranges,
                norms: &self.norms,
                training: Some(key),
            };
            let around = Around {
                pass,
                batch,
                criterion,
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
        let [means, variances] = &mut self.weights.running[index];
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
            let weight = f64::from(self.weights.values[self.ranges[norm.weight].start + channel]);
            let bias = f64::from(self.weights.values[self.ranges[norm.bias].start + channel]);
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
            // PyTorch normalises with the biased variance and remembers the unbiased one, which a
            // single value a channel has not: see `BatchNorm::forward_train`.
            if count > 1.0 {
                blend(&mut means[channel], mean);
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
    criterion: Criterion,
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
                around.criterion.loss == Loss::CrossEntropyOnSoftmax,
                around.criterion.label_smoothing as f32,
                &mut space.stages[last].dy[block * len..][..len],
            );
        }
        Step::ToNorm(index) => backward::to_norm(pass, space, index, block),
        Step::ToInput(index) => backward::to_input(pass, around.flipped, space, index, block),
    }
}

/// What is done between two meetings of the threads.
pub(super) fn phases(stages: &[Stage]) -> Vec<Phase> {
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
pub(super) fn pieces(stages: &[Stage], parameters: &[Parameter]) -> Vec<Piece> {
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
fn flip(conv: &Conv, w: &[f32], flipped: &mut [f32]) {
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
