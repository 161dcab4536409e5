//! One image by itself, when an answer is wanted at once: fifteen lanes of a block would go empty.
//!
//! Every value is the same sum in the same order as in a block, so the answers are the same bits, unless
//! the block's convolution goes by Winograd's tiles.

use std::ops::Range;
use std::sync::Mutex;

use crate::dataset::SIDE;
use crate::kernels::{
    Buffer, Epilogue, Isa, PoolKind, Product, Start, Taps, Workers, pixels, product,
    single_epilogue,
};
use crate::network::{Function, conv_step};

use super::conv::Conv;
use super::forward::Pass;
use super::layout::{Value, taps};
use super::lock;
use super::stage::{Linear, Source, Stage};

/// From so many multiply-adds on, several threads compute a stage; they take microseconds to meet.
const WORTH_THREADS: usize = 400_000;

/// What each stage computes for one image, and memory to do it in.
#[derive(Debug)]
pub struct Single {
    stages: Vec<SingleStage>,
    logits: Vec<f32>,
}

#[derive(Debug)]
struct SingleStage {
    /// Outputs that one thread computes.
    parts: Vec<Part>,
    /// Values of a row of the input, and of a channel.
    row: usize,
    channel: usize,
    /// Where the input begins, behind a border.
    offset: usize,
    x: Buffer,
    z: Buffer,
    /// Values of a row of `z`.
    z_row: usize,
}

/// Neighbouring outputs of a stage: channels of a convolution, columns of a linear layer.
#[derive(Debug)]
struct Part {
    product: Option<Product>,
    behind: Epilogue<Function>,
    /// Where its weights begin: a convolution's, or a linear layer's columns.
    first: usize,
    /// Its values of `z`.
    z_len: usize,
}

impl Single {
    /// `None` where a value has several readers, or a stage is not made for this.
    pub fn new(stages: &[Stage], values: &[Value], isa: Isa, threads: usize) -> Option<Self> {
        let mut numbered = stages.iter().enumerate();
        if !numbered.all(|(index, stage)| stage.input == index && is_made_for_one(stage)) {
            return None;
        }
        debug_assert_eq!(values.len(), stages.len() + 1);
        let stages = stages
            .iter()
            .map(|stage| SingleStage::new(stage, isa, threads));
        Some(Self {
            stages: stages.collect(),
            logits: Vec::new(),
        })
    }

    /// The logits of an image of 784 bytes; `scale` and `shift` make its values of them.
    pub fn logits(
        &mut self,
        pass: &Pass<'_>,
        workers: &Workers,
        image: &[u8],
        scale: f32,
        shift: f32,
    ) -> &[f32] {
        let first = &mut self.stages[0];
        // Only a conv's border keeps the image's rows apart.
        let width = match pass.stages[0].source {
            Source::Conv(_) => SIDE,
            _ => image.len(),
        };
        let rows = first.x[first.offset..].chunks_mut(first.row.max(width));
        for (bytes, x) in image.chunks_exact(width).zip(rows) {
            pixels(pass.isa, bytes, scale, shift, x);
        }
        for (index, stage) in pass.stages.iter().enumerate() {
            let (until, after) = self.stages.split_at_mut(index + 1);
            let behind = &stage.eval;
            let y = match after.first_mut() {
                Some(next) if matches!(pass.stages[index + 1].source, Source::Conv(_)) => Output {
                    values: &mut next.x[next.offset..],
                    row: next.row,
                    channel: next.channel,
                },
                next => {
                    self.logits.resize(behind.outputs(), 0.0);
                    Output {
                        values: next.map_or(&mut self.logits[..], |next| &mut next.x[..]),
                        row: behind.out_columns,
                        channel: behind.out_rows * behind.out_columns,
                    }
                }
            };
            until[index].compute(pass, workers, index, y);
        }
        &self.logits
    }
}

/// Where a stage writes to.
struct Output<'a> {
    values: &'a mut [f32],
    row: usize,
    channel: usize,
}

impl SingleStage {
    fn new(stage: &Stage, isa: Isa, threads: usize) -> Self {
        match &stage.source {
            Source::Input | Source::Sum { .. } => Self::plain(stage, isa),
            Source::Conv(conv) => Self::conv(conv, stage, isa, threads),
            Source::Linear(linear) => Self::linear(linear, stage, isa, threads),
        }
    }

    /// A stage whose source computes nothing.
    fn plain(stage: &Stage, isa: Isa) -> Self {
        let behind = &stage.eval;
        let (rows, columns) = (behind.rows, behind.columns);
        let (z_len, z_row) = if stage.has_feature_channels {
            (behind.channels, 1)
        } else {
            let row = columns.next_multiple_of(isa.lanes());
            (behind.channels * rows * row, row)
        };
        let part = Part {
            product: None,
            behind: behind.clone(),
            first: 0,
            z_len,
        };
        Self {
            parts: vec![part],
            row: columns,
            channel: rows * columns,
            offset: 0,
            x: Buffer::zeros(behind.channels * rows * columns),
            z: Buffer::zeros(z_len),
            z_row,
        }
    }

    fn conv(conv: &Conv, stage: &Stage, isa: Isa, threads: usize) -> Self {
        let n = isa.lanes();
        let k = conv.kernel_size;
        let rows = stage.eval.rows;
        let (height, width) = (rows + k - 1, stage.eval.columns + k - 1);
        // All rows of a channel are one long row of registers; where one ends, a few values are
        // computed that nobody looks at.
        let row = width.next_multiple_of(n);
        let step = conv_step(conv.outs);
        let channel = height * row;
        let part = |outs: Range<usize>| {
            let product = Product {
                out_step: rows * row,
                column_x_step: n,
                column_out_step: n,
                ..Product::new(
                    outs.len(),
                    rows * row / n,
                    [
                        taps(conv.ins, channel, k * k * step),
                        taps(k, row, k * step),
                        taps(k, 1, step),
                    ],
                )
            };
            Part {
                product: Some(product.tiled(isa)),
                behind: Epilogue {
                    channels: outs.len(),
                    ..stage.eval.clone()
                },
                first: outs.start,
                z_len: outs.len() * rows * row,
            }
        };
        let multiply_adds = conv.ins * k * k * conv.outs * rows * row;
        let before = conv.forward.x_rows.start;
        Self {
            parts: divided(conv.outs, multiply_adds, threads)
                .map(part)
                .collect(),
            row,
            channel,
            offset: before * (row + 1),
            // The last register's taps reach beyond the last row.
            x: Buffer::zeros(conv.ins * channel + k + n),
            z: Buffer::zeros(conv.outs * rows * row),
            z_row: row,
        }
    }

    /// The weights take the image's place, and its values that of the weights.
    fn linear(linear: &Linear, stage: &Stage, isa: Isa, threads: usize) -> Self {
        let n = isa.lanes();
        let has_features = stage.has_feature_channels;
        let outs = if has_features {
            stage.eval.channels
        } else {
            stage.eval.columns
        };
        let part = |registers: Range<usize>| {
            let taps = [Taps::ONE, Taps::ONE, taps(linear.ins, linear.out_step, 1)];
            let product = Product {
                column_x_step: n,
                column_out_step: n,
                ..Product::new(1, registers.len(), taps)
            };
            // Of what pads the last registers, nothing is an output.
            let columns = outs
                .min(registers.end * n)
                .saturating_sub(registers.start * n);
            let whole = stage.eval.clone();
            Part {
                product: Some(product.tiled(isa)),
                behind: if has_features {
                    Epilogue {
                        channels: columns,
                        ..whole
                    }
                } else {
                    Epilogue {
                        columns,
                        out_columns: columns,
                        ..whole
                    }
                },
                first: registers.start * n,
                z_len: registers.len() * n,
            }
        };
        let registers = linear.out_step / n;
        let multiply_adds = linear.ins * linear.out_step;
        Self {
            parts: divided(registers, multiply_adds, threads)
                .map(part)
                .collect(),
            row: linear.ins,
            channel: linear.ins,
            offset: 0,
            x: Buffer::zeros(linear.ins),
            z: Buffer::zeros(linear.out_step),
            z_row: if has_features { 1 } else { linear.out_step },
        }
    }

    /// Computes the stage, each part on a thread where there are several.
    fn compute(&mut self, pass: &Pass<'_>, workers: &Workers, index: usize, y: Output<'_>) {
        let stage = &pass.stages[index];
        let affine = pass.affine(index);
        let (x, z_row) = (&self.x, self.z_row);
        let is_conv = matches!(stage.source, Source::Conv(_));
        if let [part] = &self.parts[..] {
            part.source(pass, stage, x, z_row, &mut self.z);
            let (z, behind) = (&mut self.z[..], &part.behind);
            single_epilogue(
                pass.isa, behind, z, z_row, affine, y.values, y.row, y.channel,
            );
            return;
        }
        let (mut z, mut values) = (&mut self.z[..], y.values);
        let mut channels = 0;
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| {
                let behind = &part.behind;
                let (own, rest) = std::mem::take(&mut z).split_at_mut(part.z_len);
                z = rest;
                // The last channel may end before the next one would begin.
                let len = if is_conv {
                    behind.channels * y.channel
                } else {
                    behind.channels * behind.out_columns
                };
                let len = len.min(values.len());
                let (to, rest) = std::mem::take(&mut values).split_at_mut(len);
                values = rest;
                let own_affine = affine.map(|affine| &affine[channels..][..behind.channels]);
                channels += behind.channels;
                Mutex::new((part, own, to, own_affine))
            })
            .collect();
        workers.run(parts.len(), |item| {
            let (part, z, to, affine) = &mut *lock(&parts[item]);
            part.source(pass, stage, x, z_row, z);
            let behind = &part.behind;
            let row = if is_conv { y.row } else { behind.out_columns };
            let z_row = if is_conv || z_row == 1 {
                z_row
            } else {
                part.z_len
            };
            single_epilogue(pass.isa, behind, z, z_row, *affine, to, row, y.channel);
        });
    }
}

/// A range divided among threads, if that much work is worth it.
fn divided(
    count: usize,
    multiply_adds: usize,
    threads: usize,
) -> impl Iterator<Item = Range<usize>> {
    let parts = if multiply_adds < WORTH_THREADS {
        1
    } else {
        threads.clamp(1, count)
    };
    (0..parts).map(move |part| part * count / parts..(part + 1) * count / parts)
}

impl Part {
    /// Computes its part of `z`.
    fn source(&self, pass: &Pass<'_>, stage: &Stage, x: &[f32], z_row: usize, z: &mut [f32]) {
        match (&stage.source, &self.product) {
            (Source::Conv(conv), Some(own)) => {
                let weights = &pass.weight(&conv.weight)[self.first..];
                let start = match &conv.bias {
                    Some(bias) => Start::Bias(&pass.weight(bias)[self.first..]),
                    None => Start::Zero,
                };
                product(pass.isa, own, weights, start, x, 0..1, z);
            }
            (Source::Linear(linear), Some(own)) => {
                let weights = &pass.weight(&linear.weight)[self.first..];
                let start = match &linear.bias {
                    Some(bias) => {
                        z.copy_from_slice(&pass.weight(bias)[self.first..][..self.z_len]);
                        Start::Out
                    }
                    None => Start::Zero,
                };
                product(pass.isa, own, x, start, weights, 0..1, z);
            }
            _ if z_row == 1 => z.copy_from_slice(x),
            _ => {
                let columns = self.behind.columns;
                let rows = x.chunks_exact(columns);
                for (x, z) in rows.zip(z.chunks_exact_mut(z_row)) {
                    z[..columns].copy_from_slice(x);
                }
            }
        }
    }
}

/// Whether single images can go through a stage this way: it is no residual sum, its convolution has
/// neither groups nor a stride that keeps its rows from following one another, and nothing behind it
/// averages or has learned weights.
fn is_made_for_one(stage: &Stage) -> bool {
    let source = match &stage.source {
        Source::Conv(conv) => conv.groups == 1 && conv.forward.row_stride == 1,
        Source::Sum { .. } => false,
        Source::Linear(_) | Source::Input => true,
    };
    let averages = stage
        .train
        .pool
        .is_some_and(|pool| pool.kind == PoolKind::Average);
    source && !averages && stage.chain_weight.is_none()
}
