//! One image by itself, when an answer is wanted at once: fifteen lanes of a block would go empty.
//!
//! Every value is the same sum in the same order as in a block, so the answers are the same bits, unless
//! the block's convolution goes by Winograd's tiles.

use crate::dataset::SIDE;
use crate::kernels::{
    Buffer, Isa, PoolKind, Product, Start, Taps, pixels, product, single_epilogue,
};
use crate::network::conv_step;

use super::conv::Conv;
use super::forward::Pass;
use super::layout::{Value, taps};
use super::stage::{Linear, Source, Stage};

/// What each stage computes for one image, and memory to do it in.
#[derive(Debug)]
pub struct Single {
    stages: Vec<SingleStage>,
    logits: Vec<f32>,
}

#[derive(Debug)]
struct SingleStage {
    product: Option<Product>,
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

impl Single {
    /// `None` where a value has several readers, or a stage is not made for this.
    pub fn new(stages: &[Stage], values: &[Value], isa: Isa) -> Option<Self> {
        let mut numbered = stages.iter().enumerate();
        if !numbered.all(|(index, stage)| stage.input == index && is_made_for_one(stage)) {
            return None;
        }
        debug_assert_eq!(values.len(), stages.len() + 1);
        let stages = stages.iter().map(|stage| SingleStage::new(stage, isa));
        Some(Self {
            stages: stages.collect(),
            logits: Vec::new(),
        })
    }

    /// The logits of an image of 784 bytes; `scale` and `shift` make its values of them.
    pub fn logits(&mut self, pass: &Pass<'_>, image: &[u8], scale: f32, shift: f32) -> &[f32] {
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
            let own = &mut until[index];
            own.source(pass, stage);
            let behind = &stage.eval;
            let (y, row, channel) = match after.first_mut() {
                Some(next) if matches!(pass.stages[index + 1].source, Source::Conv(_)) => {
                    (&mut next.x[next.offset..], next.row, next.channel)
                }
                next => {
                    let area = behind.out_rows * behind.out_columns;
                    self.logits.resize(behind.outputs(), 0.0);
                    let y = next.map_or(&mut self.logits[..], |next| &mut next.x[..]);
                    (y, behind.out_columns, area)
                }
            };
            let affine = &pass.norms[index].affine;
            let affine = stage.norm.is_some().then_some(affine.as_slice());
            single_epilogue(
                pass.isa, behind, &mut own.z, own.z_row, affine, y, row, channel,
            );
        }
        &self.logits
    }
}

impl SingleStage {
    fn new(stage: &Stage, isa: Isa) -> Self {
        match &stage.source {
            Source::Input | Source::Sum { .. } => Self::plain(stage, isa),
            Source::Conv(conv) => Self::conv(conv, stage, isa),
            Source::Linear(linear) => Self::linear(linear, stage, isa),
        }
    }

    /// A stage whose source computes nothing.
    fn plain(stage: &Stage, isa: Isa) -> Self {
        let behind = &stage.train;
        let (rows, columns) = (behind.rows, behind.columns);
        let (z_len, z_row) = if stage.has_feature_channels {
            (behind.channels, 1)
        } else {
            let row = columns.next_multiple_of(isa.lanes());
            (behind.channels * rows * row, row)
        };
        Self {
            product: None,
            row: columns,
            channel: rows * columns,
            offset: 0,
            x: Buffer::zeros(behind.channels * rows * columns),
            z: Buffer::zeros(z_len),
            z_row,
        }
    }

    fn conv(conv: &Conv, stage: &Stage, isa: Isa) -> Self {
        let n = isa.lanes();
        let k = conv.kernel_size;
        let rows = stage.train.rows;
        let (height, width) = (rows + k - 1, stage.train.columns + k - 1);
        // All rows of a channel are one long row of registers; where one ends, a few values are
        // computed that nobody looks at.
        let row = width.next_multiple_of(n);
        let step = conv_step(conv.outs);
        let channel = height * row;
        let product = Product {
            out_step: rows * row,
            column_x_step: n,
            column_out_step: n,
            ..Product::new(
                conv.outs,
                rows * row / n,
                [
                    taps(conv.ins, channel, k * k * step),
                    taps(k, row, k * step),
                    taps(k, 1, step),
                ],
            )
        };
        let before = conv.forward.x_rows.start;
        Self {
            product: Some(product.tiled(isa)),
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
    fn linear(linear: &Linear, stage: &Stage, isa: Isa) -> Self {
        let n = isa.lanes();
        let taps = [Taps::ONE, Taps::ONE, taps(linear.ins, linear.out_step, 1)];
        let product = Product {
            column_x_step: n,
            column_out_step: n,
            ..Product::new(1, linear.out_step / n, taps)
        };
        let has_features = stage.has_feature_channels;
        Self {
            product: Some(product.tiled(isa)),
            row: linear.ins,
            channel: linear.ins,
            x: Buffer::zeros(linear.ins),
            z: Buffer::zeros(linear.out_step),
            z_row: if has_features { 1 } else { linear.out_step },
            ..Self::plain(stage, isa)
        }
    }

    /// Computes `z`.
    fn source(&mut self, pass: &Pass<'_>, stage: &Stage) {
        match (&stage.source, &self.product) {
            (Source::Conv(conv), Some(own)) => {
                let w = pass.weight(&conv.weight);
                let start = pass.start(conv.bias.as_ref());
                product(pass.isa, own, w, start, &self.x, 0..1, &mut self.z);
            }
            (Source::Linear(linear), Some(own)) => {
                let w = pass.weight(&linear.weight);
                let start = match &linear.bias {
                    Some(bias) => {
                        self.z.copy_from_slice(pass.weight(bias));
                        Start::Out
                    }
                    None => Start::Zero,
                };
                product(pass.isa, own, &self.x, start, w, 0..1, &mut self.z);
            }
            _ if self.z_row == 1 => self.z.copy_from_slice(&self.x),
            _ => {
                let columns = stage.train.columns;
                let rows = self.x.chunks_exact(columns);
                for (x, z) in rows.zip(self.z.chunks_exact_mut(self.z_row)) {
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
