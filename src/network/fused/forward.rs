//! The forward pass of a stage, for one block of images, or for all blocks of a space together.

use crate::kernels::{
    Affine, Draw, Finish, Isa, Layout, Part, Product, Start, Won, finish, moments, product,
};

use super::space::{Space, StageSpace};
use super::stage::{Conv, Linear, Source, Stage};

/// What every thread reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass<'a> {
    pub isa: Isa,
    pub stages: &'a [Stage],
    /// All parameters.
    pub values: &'a [f32],
    pub ranges: &'a [std::ops::Range<usize>],
    /// Each stage's BatchNorm: from the running statistics in evaluation, from the batch's in
    /// training, once they are known.
    pub norms: &'a [NormPass],
    /// Dropout's key; `None` in evaluation.
    pub training: Option<u32>,
}

/// A stage's BatchNorm in one pass; empty without.
#[derive(Debug, Default, Clone)]
pub(super) struct NormPass {
    pub affine: Vec<Affine>,
    /// In training, a value near each channel's mean.
    pub mean: Vec<f32>,
    pub slopes: Vec<crate::kernels::Slope>,
}

impl<'a> Pass<'a> {
    pub fn parameter(&self, index: usize) -> &'a [f32] {
        &self.values[self.ranges[index].clone()]
    }

    /// What a sum over weights begins with.
    pub fn start(&self, bias: Option<usize>) -> Start<'a> {
        match bias {
            Some(bias) => Start::Bias(self.parameter(bias)),
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

    /// What follows a stage's source: in evaluation, without dropout.
    pub fn sizes(&self, index: usize) -> &'a Finish {
        let stage = &self.stages[index];
        match self.training {
            Some(_) => &stage.train,
            None => &stage.eval,
        }
    }

    pub fn draw(&self, space: &Space, block: usize) -> Draw {
        Draw {
            key: self.training.unwrap_or(0),
            first_image: (space.first_image + block * self.isa.lanes()) as u32,
        }
    }
}

/// The part of a buffer that belongs to a block, or all of it where blocks share it.
pub(super) fn block_of(buffer: &[f32], len: usize, block: usize) -> &[f32] {
    match buffer.len() > len {
        true => &buffer[block * len..][..len],
        false => buffer,
    }
}

fn block_of_mut(buffer: &mut [f32], len: usize, block: usize) -> &mut [f32] {
    match buffer.len() > len {
        true => &mut buffer[block * len..][..len],
        false => buffer,
    }
}

/// What a stage's source gave for a block; without one, that is the stage's input.
pub(super) fn source_of<'b>(stage: &Stage, x: &'b [f32], z: &'b [f32], block: usize) -> &'b [f32] {
    match stage.source {
        Source::Input => block_of(x, stage.x_len, block),
        _ => block_of(z, stage.z_len, block),
    }
}

/// A space's parts around stage `index`: the stage's own, the input of the next one (or the
/// logits) for a block, and the scratch space.
fn around<'s>(
    pass: &Pass<'_>,
    space: &'s mut Space,
    index: usize,
    block: usize,
) -> (&'s mut StageSpace, &'s mut [f32], &'s mut [f32]) {
    let (until, after) = space.stages.split_at_mut(index + 1);
    let y = match after.first_mut() {
        Some(next) => block_of_mut(&mut next.x, pass.stages[index + 1].x_len, block),
        None => block_of_mut(&mut space.logits, pass.stages[index].out_len, block),
    };
    (&mut until[index], y, &mut space.scratch)
}

/// Computes a stage's source for one block and, unless its BatchNorm has to wait for the other
/// blocks, what follows. Linear layers go through [`linear`] instead.
pub(super) fn source(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize) {
    let stage = &pass.stages[index];
    match &stage.source {
        Source::Conv(conv) if pass.training.is_some() && stage.keeps_z() => {
            let (w, start) = (pass.parameter(conv.weight), pass.start(conv.bias));
            let (own, _, _) = around(pass, space, index, block);
            let x = block_of(&own.x, stage.x_len, block);
            let z = block_of_mut(&mut own.z, stage.z_len, block);
            let rows = 0..stage.train.rows;
            product(pass.isa, &conv.forward, w, start, x, rows, z);
        }
        Source::Conv(conv) => return bands(pass, space, index, block, conv),
        Source::Linear(_) | Source::Input => {}
    }
    go_on(pass, space, index, block);
}

/// Goes on behind a block's source, as far as it can without the other blocks.
fn go_on(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize) {
    match pass.stages[index].waits() && pass.training.is_some() {
        true => sum_up(pass, space, index, block),
        false => after_source(pass, space, index, block),
    }
}

/// A conv and what follows, a few rows at a time, while they are in a near cache.
fn bands(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize, conv: &Conv) {
    let stage = &pass.stages[index];
    let sizes = pass.sizes(index);
    let draw = pass.draw(space, block);
    let (w, start) = (pass.parameter(conv.weight), pass.start(conv.bias));
    let (own, y, scratch) = around(pass, space, index, block);
    let x = block_of(&own.x, stage.x_len, block);
    let (window, stride) = sizes.window();
    let band = conv.band(stage);
    let layout = Layout {
        channel: conv.band_rows(stage) * stage.train.z.row,
        ..stage.train.z
    };
    let banded = Product {
        out_step: layout.channel,
        ..conv.forward.clone()
    };
    let mut row = 0;
    while row < sizes.out_rows {
        let rows = band.min(sizes.out_rows - row);
        let z_rows = row * stride..(row + rows - 1) * stride + window;
        product(pass.isa, &banded, w, start, x, z_rows, scratch);
        let part = Part {
            row,
            rows,
            z: layout,
            ..sizes.whole()
        };
        let won = won(&mut own.won, &mut own.place, stage.out_len, block);
        let affine = pass.affine(index);
        finish(pass.isa, sizes, part, scratch, affine, won, y, draw);
        row += rows;
    }
}

fn won<'s>(won: &'s mut [f32], place: &'s mut [u8], len: usize, block: usize) -> Option<Won<'s>> {
    (!won.is_empty()).then(|| Won {
        z: &mut won[block * len..][..len],
        place: &mut place[block * len..][..len],
    })
}

/// A linear layer for all blocks of the space together.
pub(super) fn linear(pass: &Pass<'_>, space: &mut Space, index: usize, linear: &Linear) {
    let blocks = space.blocks;
    let own = &mut space.stages[index];
    let w = pass.parameter(linear.weight);
    let n = pass.isa.lanes();
    let mut start = pass.start(linear.bias);
    for first in (0..linear.ins).step_by(linear.band) {
        let mut band = linear.forward[blocks - 1].clone();
        band.taps[2].count = linear.band.min(linear.ins - first);
        let w = &w[first * linear.out_step..];
        let x = &own.x[first * n..];
        product(pass.isa, &band, w, start, x, 0..1, &mut own.z);
        start = Start::Out;
    }
    for block in 0..blocks {
        go_on(pass, space, index, block);
    }
}

/// What BatchNorm wants to know of a block before it can go on.
fn sum_up(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let images = space.images[block];
    let own = &mut space.stages[index];
    let channels = stage.train.channels;
    let z = source_of(stage, &own.x, &own.z, block);
    let sums = &mut own.moments[block * channels..][..channels];
    let near = &pass.norms[index].mean;
    moments(pass.isa, &stage.train, z, images, near, sums);
}

/// BatchNorm, pooling and the functions of each value, from the whole of `z`.
pub(super) fn after_source(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let sizes = pass.sizes(index);
    let draw = pass.draw(space, block);
    let (own, y, _) = around(pass, space, index, block);
    let z = source_of(stage, &own.x, &own.z, block);
    let won = won(&mut own.won, &mut own.place, stage.out_len, block);
    let affine = pass.affine(index);
    let part = sizes.whole();
    finish(pass.isa, sizes, part, z, affine, won, y, draw);
}
