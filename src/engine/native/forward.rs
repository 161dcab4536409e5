//! The forward pass of a stage, for one block of images, or for all blocks of a workspace together.

use crate::kernels::{
    Affine, Buffer, ChainInputs, Draw, Epilogue, Isa, Layout, Pooled, Product, Region, Slope,
    Start, add, epilogue, product, statistics, winograd,
};
use crate::network::Function;

use super::conv::{Conv, ConvWeights};
use super::layout::{Value, Weight};
use super::stage::{Linear, Source, Stage};
use super::workspace::{StageMemory, Workspace};

/// What every thread reads.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    pub isa: Isa,
    pub stages: &'a [Stage],
    pub values: &'a [Value],
    /// All trained parameters.
    pub weights: &'a [f32],
    /// Each stage's, where it is a convolution, in the forms that its passes read.
    pub conv_weights: &'a [ConvWeights],
    /// Each stage's BatchNorm: from the running statistics in evaluation, from the batch's in
    /// training, once they are known.
    pub norms: &'a [NormPass],
    /// Dropout's key; `None` in evaluation.
    pub training: Option<u32>,
}

/// A stage's BatchNorm in one pass; empty without.
#[derive(Debug, Default, Clone)]
pub struct NormPass {
    pub affine: Vec<Affine>,
    /// In training, a value near each channel's mean.
    pub mean: Vec<f32>,
    pub slopes: Vec<Slope>,
}

impl<'a> Pass<'a> {
    pub fn weight(&self, weight: &Weight) -> &'a [f32] {
        &self.weights[weight.range.clone()]
    }

    /// What a sum over weights begins with.
    pub fn start(&self, bias: Option<&Weight>) -> Start<'a> {
        match bias {
            Some(bias) => Start::Bias(self.weight(bias)),
            None => Start::Zero,
        }
    }

    /// A stage's BatchNorm, where it has one.
    pub fn affine(&self, index: usize) -> Option<&'a [Affine]> {
        let norm = &self.norms[index];
        self.stages[index]
            .norm
            .is_some()
            .then_some(norm.affine.as_slice())
    }

    /// What follows a stage's source.
    pub fn epilogue(&self, index: usize) -> &'a Epilogue<Function> {
        let stage = &self.stages[index];
        match self.training {
            Some(_) => &stage.train,
            None => &stage.eval,
        }
    }

    /// What a stage's functions of each value need for a block whose first image has this place in
    /// the batch.
    pub fn inputs(&self, index: usize, first_image: usize, block: usize) -> ChainInputs<'a> {
        let weight = self.stages[index].chain_weight.as_ref();
        ChainInputs {
            draw: Draw {
                key: self.training.unwrap_or(0),
                first_image: (first_image + block * self.isa.lanes()) as u32,
            },
            weights: weight.map_or(&[], |weight| self.weight(weight)),
        }
    }
}

/// The part of a buffer that belongs to a block, or all of it where blocks share it.
pub fn block_of(buffer: &[f32], len: usize, block: usize) -> &[f32] {
    if buffer.len() > len {
        &buffer[block * len..][..len]
    } else {
        buffer
    }
}

fn block_of_mut(buffer: &mut [f32], len: usize, block: usize) -> &mut [f32] {
    if buffer.len() > len {
        &mut buffer[block * len..][..len]
    } else {
        buffer
    }
}

/// What a stage's source gave for a block; without one, that is the stage's input.
pub fn z_of<'b>(
    pass: &Pass<'_>,
    stage: &Stage,
    values: &'b [Buffer],
    z: &'b [f32],
    block: usize,
) -> &'b [f32] {
    match stage.source {
        Source::Input => block_of(&values[stage.input], pass.values[stage.input].len, block),
        _ => block_of(z, stage.z_len, block),
    }
}

/// A workspace's parts around a stage: the values before its own, that value for a block, the
/// stage's memory and the scratch space.
struct Around<'w> {
    before: &'w [Buffer],
    y: &'w mut [f32],
    own: &'w mut StageMemory,
    scratch: &'w mut [f32],
}

fn around<'w>(
    pass: &Pass<'_>,
    workspace: &'w mut Workspace,
    index: usize,
    block: usize,
) -> Around<'w> {
    let output = pass.stages[index].output;
    let (before, from) = workspace.values.split_at_mut(output);
    Around {
        before,
        y: block_of_mut(&mut from[0], pass.values[output].len, block),
        own: &mut workspace.stages[index],
        scratch: &mut workspace.scratch,
    }
}

/// Computes a stage's source for one block and, unless its BatchNorm has to wait for the other
/// blocks, what follows. Linear layers go through [`linear`] instead.
pub fn source(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    let stage = &pass.stages[index];
    match &stage.source {
        Source::Conv(conv) if pass.training.is_some() && stage.keeps_z() => {
            let Around {
                before,
                own,
                scratch,
                ..
            } = around(pass, workspace, index, block);
            let x = block_of(&before[stage.input], pass.values[stage.input].len, block);
            let z = block_of_mut(&mut own.z, stage.z_len, block);
            let rows = 0..stage.train.rows;
            let out_step = conv.forward.out_step;
            convolve(pass, index, conv, x, rows, (z, out_step), scratch);
        }
        Source::Conv(conv) => return bands(pass, workspace, index, block, conv),
        Source::Sum { other, extent, .. } => {
            let Around { before, own, .. } = around(pass, workspace, index, block);
            let operand = |value: usize| {
                let Value { layout, len, .. } = &pass.values[value];
                (block_of(&before[value], *len, block), *layout)
            };
            let z = block_of_mut(&mut own.z, stage.z_len, block);
            add(pass.isa, *extent, operand(stage.input), operand(*other), z);
        }
        Source::Linear(_) | Source::Input => {}
    }
    go_on(pass, workspace, index, block);
}

/// Goes on behind a block's source, as far as it can without the other blocks.
fn go_on(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    if pass.stages[index].waits() && pass.training.is_some() {
        sum_up(pass, workspace, index, block);
    } else {
        after_source(pass, workspace, index, block);
    }
}

/// Some rows of a convolution's output, each group of channels by itself. Channels of `z` are
/// `out_step` apart.
fn convolve(
    pass: &Pass<'_>,
    index: usize,
    conv: &Conv,
    x: &[f32],
    rows: std::ops::Range<usize>,
    (z, out_step): (&mut [f32], usize),
    scratch: &mut [f32],
) {
    let form = &pass.conv_weights[index].forward;
    let weights = pass.weight(&conv.weight);
    let bias = conv.bias.as_ref().map(|bias| pass.weight(bias));
    for group in 0..conv.groups {
        let start = match bias {
            Some(bias) => Start::Bias(&bias[group * conv.outs..]),
            None => Start::Zero,
        };
        let weights = form.group(conv, weights, group);
        let x = &x[conv.x_start + group * conv.x_group..];
        let z = &mut z[group * conv.outs * out_step..];
        let rows = rows.clone();
        if let Some(by_tiles) = &conv.winograd {
            let steps = (out_step, conv.forward.row_out_step);
            let sizes = &by_tiles.forward;
            winograd(pass.isa, sizes, weights, start, x, rows, z, steps, scratch);
        } else {
            let sizes = Product {
                out_step,
                ..conv.forward.clone()
            };
            product(pass.isa, &sizes, weights, start, x, rows, z);
        }
    }
}

/// A conv and what follows, a few rows at a time, while they are in a near cache.
fn bands(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize, conv: &Conv) {
    let stage = &pass.stages[index];
    let behind = pass.epilogue(index);
    let inputs = pass.inputs(index, workspace.first_image, block);
    let Around {
        before,
        y,
        own,
        scratch,
    } = around(pass, workspace, index, block);
    let x = block_of(&before[stage.input], pass.values[stage.input].len, block);
    let (window, stride) = behind.window();
    let band = conv.band(&stage.train);
    let layout = Layout {
        channel: conv.band_rows(&stage.train) * stage.train.z.row,
        ..stage.train.z
    };
    let (z, scratch) = scratch.split_at_mut(conv.band_len(&stage.train));
    let mut row = 0;
    while row < behind.out_rows {
        let rows = band.min(behind.out_rows - row);
        let z_rows = row * stride..(row + rows - 1) * stride + window;
        let to = (&mut *z, layout.channel);
        convolve(pass, index, conv, x, z_rows, to, scratch);
        let region = Region {
            row,
            rows,
            z: layout,
            ..behind.whole()
        };
        let pooled = pooled(own, stage.out_len, block);
        let affine = pass.affine(index);
        epilogue(pass.isa, behind, region, z, affine, pooled, y, inputs);
        row += rows;
    }
}

fn pooled(own: &mut StageMemory, len: usize, block: usize) -> Option<Pooled<'_>> {
    (!own.pooled.is_empty()).then(|| Pooled {
        z: &mut own.pooled[block * len..][..len],
        argmax: &mut own.argmax[block * len..][..len],
    })
}

/// A linear layer for all blocks of the workspace together.
pub fn linear(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, linear: &Linear) {
    let blocks = workspace.blocks;
    let x = &workspace.values[pass.stages[index].input];
    let own = &mut workspace.stages[index];
    let weights = pass.weight(&linear.weight);
    let lanes = pass.isa.lanes();
    let mut start = pass.start(linear.bias.as_ref());
    for first in (0..linear.ins).step_by(linear.band) {
        let mut band = linear.forward[blocks - 1].clone();
        band.taps[2].count = linear.band.min(linear.ins - first);
        let weights = &weights[first * linear.out_step..];
        product(
            pass.isa,
            &band,
            weights,
            start,
            &x[first * lanes..],
            0..1,
            &mut own.z,
        );
        start = Start::Out;
    }
    for block in 0..blocks {
        go_on(pass, workspace, index, block);
    }
}

/// What BatchNorm wants to know of a block before it can go on.
fn sum_up(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let images = workspace.images[block];
    let own = &mut workspace.stages[index];
    let channels = stage.train.channels;
    let z = z_of(pass, stage, &workspace.values, &own.z, block);
    let sums = &mut own.statistics[block * channels..][..channels];
    let near = &pass.norms[index].mean;
    statistics(pass.isa, &stage.train, z, images, near, sums);
}

/// BatchNorm, pooling and the functions of each value, from the whole of `z`.
pub fn after_source(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let behind = pass.epilogue(index);
    let inputs = pass.inputs(index, workspace.first_image, block);
    let Around { before, y, own, .. } = around(pass, workspace, index, block);
    let affine = pass.affine(index);
    let region = behind.whole();
    let z = std::mem::take(&mut own.z);
    let source = z_of(pass, stage, before, &z, block);
    let pooled = pooled(own, stage.out_len, block);
    epilogue(pass.isa, behind, region, source, affine, pooled, y, inputs);
    own.z = z;
}
