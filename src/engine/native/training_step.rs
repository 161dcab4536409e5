//! One batch's gradients: what the threads do, in which order, and where they meet.

use std::sync::{Mutex, MutexGuard};

use super::conv::ConvWeights;
use super::forward::Pass;
use super::gradient_parts::{GradientPart, parts};
use super::stage::{MAX_BLOCKS, Source, Stage};
use super::workspace::Workspace;
use super::{Network, backward, forward, lock};
use crate::dataset::Batch;
use crate::engine::{Criterion, Loss};
use crate::kernels::{Affine, BlockLoss, Slope, cross_entropy};

/// What the threads do before they meet, and what follows when they have.
#[derive(Debug, Default)]
pub struct Phase {
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

/// What training needs beside the network itself.
#[derive(Debug)]
pub struct TrainingStep {
    phases: Vec<Phase>,
    pub parts: Vec<GradientPart>,
    /// Each stage's, where it is a convolution.
    conv_weights: Vec<ConvWeights>,
    workspaces: Vec<Mutex<Workspace>>,
}

impl TrainingStep {
    pub fn new(network: &super::Shared) -> Self {
        let conv_weights = network.stages.iter().map(|stage| match &stage.source {
            Source::Conv(conv) => ConvWeights::for_training(conv, stage.hands_on()),
            _ => ConvWeights::default(),
        });
        Self {
            phases: phases(&network.stages),
            parts: parts(&network.stages, &network.parameters),
            conv_weights: conv_weights.collect(),
            workspaces: Vec::new(),
        }
    }
}

impl Network {
    /// Computes the gradients of a batch's mean loss, and moves BatchNorm's running statistics.
    /// Returns the batch's summed loss and right answers. `key` decides what dropout drops.
    pub fn backward(&mut self, batch: Batch<'_>, criterion: Criterion, key: u32) -> BlockLoss {
        self.make_room(batch.images.len());
        self.prepare();
        let used = self.step.workspaces.iter_mut();
        let used = used.filter_map(|workspace| workspace.get_mut().ok());
        let used = used.filter(|workspace| workspace.blocks > 0).count();
        for index in 0..self.step.phases.len() {
            let phase = &self.step.phases[index];
            let around = Around {
                pass: Pass {
                    isa: self.shared.isa,
                    stages: &self.shared.stages,
                    values: &self.shared.values,
                    weights: &self.weights.values,
                    conv_weights: &self.step.conv_weights,
                    norms: &self.norms,
                    training: Some(key),
                },
                network: &self.shared,
                batch,
                criterion,
            };
            let workspaces = &self.step.workspaces;
            self.workers.run(used, |item| {
                run_steps(&around, &mut lock(&workspaces[item]), &phase.steps);
            });
            match phase.then {
                Then::Statistics(stage) => self.statistics(stage, batch.images.len()),
                Then::Slopes(stage) => self.slopes(stage, batch.images.len()),
                Then::Nothing => {}
            }
        }
        self.sum_gradients(used);
        let mut total = BlockLoss::default();
        let workspaces = self.step.workspaces.iter_mut();
        for workspace in workspaces.filter_map(|workspace| workspace.get_mut().ok()) {
            for block in &workspace.loss[..workspace.blocks] {
                total.loss_sum += block.loss_sum;
                total.correct += block.correct;
            }
        }
        total
    }

    /// Divides a batch over the workspaces, making them on the first one.
    fn make_room(&mut self, images: usize) {
        let shared = &self.shared;
        let lanes = shared.isa.lanes();
        let blocks = images.div_ceil(lanes);
        let workspaces = &mut self.step.workspaces;
        let room: usize = workspaces
            .iter_mut()
            .filter_map(|workspace| Some(workspace.get_mut().ok()?.capacity))
            .sum();
        if room < blocks {
            let together = blocks.div_ceil(self.workers.threads()).clamp(1, MAX_BLOCKS);
            let count = blocks.div_ceil(together);
            let workspace = || {
                let (stages, values) = (&shared.stages, &shared.values);
                Mutex::new(Workspace::for_training(
                    stages, values, together, shared.isa,
                ))
            };
            *workspaces = (0..count).map(|_| workspace()).collect();
        }
        let mut first = 0;
        for workspace in workspaces.iter_mut().filter_map(|w| w.get_mut().ok()) {
            first = workspace.take(first, images, lanes);
        }
    }

    /// What follows from the weights before the batch is looked at.
    fn prepare(&mut self) {
        let stages = &self.shared.stages;
        for (stage, pass) in stages.iter().zip(&mut self.norms) {
            if let Some(norm) = &stage.norm {
                pass.mean.clone_from(&self.weights.running[norm.mean]);
            }
        }
        let isa = self.shared.isa;
        let mut forms = Vec::new();
        for (stage, of_conv) in stages.iter().zip(&mut self.step.conv_weights) {
            if let Source::Conv(conv) = &stage.source {
                let weights = &self.weights.values[conv.weight.range.clone()];
                let both = [&mut of_conv.forward, &mut of_conv.backward];
                let needed = both.into_iter().filter(|form| form.is_needed());
                forms.extend(needed.map(|form| Mutex::new((form, conv, weights))));
            }
        }
        let compute = |item: usize| {
            let (form, conv, weights) = &mut *lock(&forms[item]);
            form.compute(isa, conv, weights);
        };
        // Flipping small convolutions' weights takes less time than waking a thread.
        if stages.iter().any(Stage::has_tiles) {
            self.workers.run(forms.len(), compute);
        } else {
            (0..forms.len()).for_each(compute);
        }
    }

    /// BatchNorm's statistics of the batch, and the running ones moved towards them.
    fn statistics(&mut self, index: usize, images: usize) {
        let Some(norm) = &self.shared.stages[index].norm else {
            return;
        };
        let pass = &mut self.norms[index];
        pass.affine.clear();
        pass.slopes.clear();
        let count = (images * norm.values) as f64;
        let workspaces: Vec<_> = self.step.workspaces.iter().map(lock).collect();
        for channel in 0..norm.channels {
            let [mut sum, mut squares] = [0.0; 2];
            for workspace in &workspaces {
                let statistics = workspace.stages[index]
                    .statistics
                    .chunks_exact(norm.channels);
                for block in statistics.take(workspace.blocks) {
                    sum += f64::from(block[channel][0]);
                    squares += f64::from(block[channel][1]);
                }
            }
            let offset = sum / count;
            let mean = f64::from(pass.mean[channel]) + offset;
            let variance = (squares / count - offset * offset).max(0.0);
            let inverse = 1.0 / (variance + norm.eps).sqrt();
            let weight = f64::from(self.weights.values[norm.weight.range.start + channel]);
            let bias = f64::from(self.weights.values[norm.bias.range.start + channel]);
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
            let mut blend = |place: usize, new: f64| {
                let old = &mut self.weights.running[place][channel];
                *old = (f64::from(*old) * (1.0 - norm.momentum) + new * norm.momentum) as f32;
            };
            // PyTorch normalises with the biased variance and remembers the unbiased one, which a
            // single value a channel has not: see `batch_norm.rs` among the layers.
            if count > 1.0 {
                blend(norm.mean, mean);
                blend(norm.variance, variance * count / (count - 1.0));
            }
        }
    }

    /// How the gradient passes BatchNorm, and the gradients of its own parameters: the usual
    /// formulas, with x^ = (z - mean) / sqrt(variance + eps),
    /// dz = scale * (dn - mean(dn) - x^ * mean(dn * x^)).
    fn slopes(&mut self, index: usize, images: usize) {
        let Some(norm) = &self.shared.stages[index].norm else {
            return;
        };
        let count = (images * norm.values) as f64;
        let workspaces: Vec<_> = self.step.workspaces.iter().map(lock).collect();
        for channel in 0..norm.channels {
            let [mut dbias, mut product] = [0.0; 2];
            for workspace in &workspaces {
                let sums = workspace.stages[index].sums.chunks_exact(norm.channels);
                for block in sums.take(workspace.blocks) {
                    dbias += f64::from(block[channel].dn);
                    product += f64::from(block[channel].product);
                }
            }
            let slope = &mut self.norms[index].slopes[channel];
            let inverse = f64::from(slope.slope);
            let dweight = product * inverse;
            let scale = f64::from(slope.scale);
            slope.constant = (-scale * dbias / count) as f32;
            slope.slope = (-scale * inverse * dweight / count) as f32;
            self.gradients[norm.weight.range.start + channel] = dweight as f32;
            self.gradients[norm.bias.range.start + channel] = dbias as f32;
        }
    }

    /// Adds up the gradients of the blocks in their order.
    fn sum_gradients(&mut self, used: usize) {
        let locked = self.step.workspaces[..used].iter().map(lock);
        let locked: Vec<MutexGuard<'_, Workspace>> = locked.collect();
        let workspaces: Vec<&Workspace> = locked.iter().map(|workspace| &**workspace).collect();
        let mut rest = &mut self.gradients[..];
        let mut slices = Vec::with_capacity(self.step.parts.len());
        for part in &self.step.parts {
            let (slice, after) = rest.split_at_mut(part.len());
            slices.push(Mutex::new(slice));
            rest = after;
        }
        let (shared, parts) = (&self.shared, &self.step.parts);
        self.workers.run(parts.len(), |item| {
            let slice = &mut **lock(&slices[item]);
            parts[item].sum(shared.isa, &shared.stages, &workspaces, slice);
        });
    }
}

/// What the threads need beside their workspaces.
struct Around<'a> {
    pass: Pass<'a>,
    network: &'a super::Shared,
    batch: Batch<'a>,
    criterion: Criterion,
}

/// One thread's share of a phase. Steps that look at each block by itself are done for a block one
/// after the other, while it is in the cache; linear layers take all blocks together.
fn run_steps(around: &Around<'_>, workspace: &mut Workspace, steps: &[Step]) {
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
                    forward::linear(pass, workspace, index, own);
                }
            }
            [Step::ToInput(index)] if linear(&run[0]) => {
                if let Source::Linear(own) = &pass.stages[index].source {
                    backward::linear(pass, workspace, index, own);
                }
            }
            _ => {
                for block in 0..workspace.blocks {
                    for step in run {
                        run_step(around, workspace, *step, block);
                    }
                }
            }
        }
    }
}

fn run_step(around: &Around<'_>, workspace: &mut Workspace, step: Step, block: usize) {
    let pass = &around.pass;
    let first = workspace.first_image + block * pass.isa.lanes();
    let images = first..first + workspace.images[block];
    match step {
        Step::Gather => {
            let x = &mut workspace.values[0][block * pass.values[0].len..];
            around.network.gather(&around.batch.images[images], x);
        }
        Step::Source(index) => forward::source(pass, workspace, index, block),
        Step::AfterSource(index) => forward::after_source(pass, workspace, index, block),
        Step::Loss => {
            let logits = pass.values.len() - 1;
            let len = pass.values[logits].len;
            workspace.loss[block] = cross_entropy(
                pass.isa,
                &workspace.values[logits][block * len..][..len],
                &around.batch.labels[images],
                around.batch.images.len(),
                around.criterion.loss == Loss::CrossEntropyOnSoftmax,
                around.criterion.label_smoothing as f32,
                &mut workspace.gradients[logits][block * len..][..len],
            );
        }
        Step::ToNorm(index) => backward::to_norm(pass, workspace, index, block),
        Step::ToInput(index) => {
            backward::to_input(pass, workspace, index, block);
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
        if !stage.has_gradient {
            continue;
        }
        steps.push(Step::ToNorm(index));
        if stage.waits() {
            phases.push(Phase {
                steps: std::mem::take(&mut steps),
                then: Then::Slopes(index),
            });
        }
        if stage.source_learns() || stage.hands_on() {
            steps.push(Step::ToInput(index));
        }
    }
    phases.push(Phase {
        steps,
        then: Then::Nothing,
    });
    phases
}
