//! A convolution with everything worked out that its passes need.

use crate::kernels::{
    Correlate, Epilogue, Extent, Isa, Layout, Product, Tile, Winograd, WinogradWeights,
    winograd_weights,
};
use crate::network::{ConvSource, Function, conv_step};

use super::layout::{Value, Weight, taps};

/// A convolution. Channels and products are those of one group of channels.
#[derive(Debug)]
pub struct Conv {
    pub weight: Weight,
    pub bias: Option<Weight>,
    pub groups: usize,
    pub kernel_size: usize,
    pub ins: usize,
    pub outs: usize,
    /// Where in its input value its own border begins.
    pub x_start: usize,
    /// How far apart groups are in the input, the weights, `z` and `dz`.
    pub x_group: usize,
    pub w_group: usize,
    pub dz_group: usize,
    pub forward: Product,
    /// The input's gradient from `dz`, which begins at `dz_start` of its buffer.
    pub backward: Product,
    pub dz_start: usize,
    pub correlate: Correlate,
    /// `dz` with borders of zeros, and with zeros between for a stride.
    pub dz: Layout,
    pub dz_len: usize,
    /// Its passes with fewer multiplications, instead of the products and of `correlate`.
    pub winograd: Option<ByWinograd>,
}

/// The passes of a convolution, of each of its groups, by Winograd's tiles.
#[derive(Debug)]
pub struct ByWinograd {
    pub forward: Winograd,
    pub backward: Winograd,
    pub weights: WinogradWeights,
}

/// The way of a convolution's gradient to its input.
struct ConvBackward {
    /// `dz` with borders of zeros, and with zeros between for a stride.
    dz: Layout,
    /// Where in that buffer the product begins.
    dz_start: usize,
    product: Product,
}

impl Conv {
    /// A convolution with these weights and biases, from `input` to `middle`. `wants_dx` says whether
    /// anybody asks for the gradient of its input.
    pub fn new(
        conv: &ConvSource,
        (weight, bias): (Weight, Option<Weight>),
        input: &Value,
        middle: Extent,
        wants_dx: bool,
        isa: Isa,
    ) -> Self {
        let lanes = isa.lanes();
        let x = input.layout;
        let (k, groups) = (conv.kernel_size, conv.groups);
        let before = conv.pads.0;
        let (ins, outs) = (input.extent.channels / groups, middle.channels / groups);
        let step = conv_step(outs);
        let forward = Product {
            out_step: middle.rows * middle.columns * lanes,
            column_x_step: conv.stride * lanes,
            column_out_step: lanes,
            row_out_step: middle.columns * lanes,
            row_stride: conv.stride,
            x_rows: before..before + input.extent.rows,
            ..Product::new(
                outs,
                middle.columns,
                [
                    taps(ins, x.channel, k * k * step),
                    taps(k, x.row, k * step),
                    taps(k, lanes, step),
                ],
            )
        };
        let backward = ConvBackward::new(conv, (input.extent, middle), wants_dx, isa);
        let dz = backward.dz;
        let correlate = Correlate {
            in_channels: ins,
            out_channels: outs,
            kernel_size: k,
            rows: middle.rows,
            columns: middle.columns,
            x_channel: x.channel,
            x_row: x.row,
            x_pixel: lanes,
            stride: conv.stride,
            dz_channel: dz.channel,
            dz_row: dz.row,
            dz_column: dz.column,
        };
        let extent = (middle.rows, middle.columns);
        let tile = Tile::of((k, conv.stride), (ins, outs), extent);
        let by_tiles = |tile| ByWinograd {
            forward: Winograd::new(isa, tile, (ins, outs), extent, (x.channel, x.row), step),
            backward: Winograd::new(
                isa,
                tile,
                (outs, ins),
                (input.extent.rows, input.extent.columns),
                (dz.channel, dz.row),
                conv_step(ins),
            ),
            weights: WinogradWeights::new(isa, tile, &correlate),
        };
        let winograd = tile.map(by_tiles);
        Self {
            weight,
            bias,
            groups,
            kernel_size: k,
            ins,
            outs,
            x_start: x.offset - before * (x.row + x.column),
            x_group: ins * x.channel,
            w_group: ins * k * k * step,
            dz_group: outs * dz.channel,
            forward: forward.tiled(isa),
            backward: backward.product,
            dz_start: backward.dz_start,
            correlate,
            dz,
            dz_len: groups * outs * dz.channel,
            winograd,
        }
    }

    /// Values of the weights, padding between taps included.
    pub fn weights_len(&self) -> usize {
        self.groups * self.w_group
    }

    /// Values of a block's gradients: the weights' and the biases'.
    pub fn gradients_len(&self) -> usize {
        self.weights_len() + self.groups * self.outs
    }

    /// Values of a group's weights as the input's gradient needs them.
    pub fn flipped_group(&self) -> usize {
        self.outs * self.kernel_size * self.kernel_size * conv_step(self.ins)
    }

    /// The weights `[group][in][row][column][out]` as `[group][out][row][column][in]`, rows and
    /// columns backwards.
    pub fn flip(&self, weights: &[f32], flipped: &mut [f32]) {
        let area = self.kernel_size * self.kernel_size;
        let (from_step, to_step) = (conv_step(self.outs), conv_step(self.ins));
        for group in 0..self.groups {
            let weights = &weights[group * self.w_group..];
            let flipped = &mut flipped[group * self.flipped_group()..][..self.flipped_group()];
            for input in 0..self.ins {
                for tap in 0..area {
                    let from = &weights[(input * area + tap) * from_step..][..self.outs];
                    let to = (area - 1 - tap) * to_step + input;
                    let to = flipped[to..].iter_mut().step_by(area * to_step);
                    for (to, &weight) in to.zip(from) {
                        *to = weight;
                    }
                }
            }
        }
    }

    /// Output rows, behind the pooling, that are computed together.
    pub fn band(&self, behind: &Epilogue<Function>) -> usize {
        /// Bytes: a small part of a second-level cache.
        const BAND: usize = 160 << 10;
        let (window, stride) = behind.window();
        let rows = BAND / (behind.channels * window * behind.z.row * size_of::<f32>());
        let rows = rows.max(1);
        let rows = match &self.winograd {
            // Whole tiles, for a part of one is as much work.
            Some(winograd) => rows.next_multiple_of(winograd.forward.tile_rows().div_ceil(stride)),
            None => rows,
        };
        rows.min(behind.out_rows)
    }

    /// The rows of `z` that these need.
    pub fn band_rows(&self, behind: &Epilogue<Function>) -> usize {
        let (window, stride) = behind.window();
        (self.band(behind) - 1) * stride + window
    }

    /// Values of a band.
    pub fn band_len(&self, behind: &Epilogue<Function>) -> usize {
        behind.channels * self.band_rows(behind) * behind.z.row
    }

    /// Values of scratch space that evaluation needs: a band, and what computing it takes.
    pub fn scratch(&self, behind: &Epilogue<Function>, isa: Isa) -> usize {
        let forward = self
            .winograd
            .as_ref()
            .map_or(0, |winograd| winograd.forward.scratch(isa));
        self.band_len(behind) + forward
    }

    /// Values of scratch space that training needs.
    pub fn training_scratch(&self, behind: &Epilogue<Function>, isa: Isa) -> usize {
        let backward = match &self.winograd {
            Some(winograd) => winograd
                .backward
                .scratch(isa)
                .max(winograd.weights.scratch(isa)),
            None => self.correlate.scratch(isa),
        };
        self.scratch(behind, isa).max(backward)
    }
}

/// A convolution's weights in the forms in which its passes read them.
#[derive(Debug, Default)]
pub struct ConvWeights {
    pub forward: Form,
    pub backward: Form,
}

impl ConvWeights {
    /// Room for what the forward pass reads.
    pub fn for_evaluation(conv: &Conv) -> Self {
        let transformed = conv
            .winograd
            .as_ref()
            .map_or(0, |winograd| winograd.forward.weights_len());
        Self {
            forward: Form {
                flipped: Vec::new(),
                transformed: vec![0.0; conv.groups * transformed],
            },
            backward: Form::default(),
        }
    }

    /// Room for what both passes read, where anybody asks for the gradient of the input.
    pub fn for_training(conv: &Conv, wants_dx: bool) -> Self {
        let mut weights = Self::for_evaluation(conv);
        if wants_dx {
            let transformed = conv
                .winograd
                .as_ref()
                .map_or(0, |winograd| winograd.backward.weights_len());
            weights.backward = Form {
                flipped: vec![0.0; conv.groups * conv.flipped_group()],
                transformed: vec![0.0; conv.groups * transformed],
            };
        }
        weights
    }
}

/// Weights as one pass reads them: as they are, flipped, or transformed for Winograd's tiles.
#[derive(Debug, Default)]
pub struct Form {
    flipped: Vec<f32>,
    transformed: Vec<f32>,
}

impl Form {
    /// Whether it has to be computed.
    pub fn is_needed(&self) -> bool {
        !(self.flipped.is_empty() && self.transformed.is_empty())
    }

    /// Computes it from the weights.
    pub fn compute(&mut self, isa: Isa, conv: &Conv, weights: &[f32]) {
        let is_backward = !self.flipped.is_empty();
        if is_backward {
            conv.flip(weights, &mut self.flipped);
        }
        let Some(winograd) = &conv.winograd else {
            return;
        };
        let (sizes, from, group) = if is_backward {
            (&winograd.backward, &self.flipped[..], conv.flipped_group())
        } else {
            (&winograd.forward, weights, conv.w_group)
        };
        let to = self.transformed.chunks_exact_mut(sizes.weights_len());
        for (from, to) in from.chunks_exact(group).zip(to) {
            winograd_weights(isa, sizes, from, to);
        }
    }

    /// What the pass reads of one of the groups.
    pub fn group<'a>(&'a self, conv: &Conv, weights: &'a [f32], group: usize) -> &'a [f32] {
        if !self.transformed.is_empty() {
            let len = self.transformed.len() / conv.groups;
            &self.transformed[group * len..][..len]
        } else if !self.flipped.is_empty() {
            let len = conv.flipped_group();
            &self.flipped[group * len..][..len]
        } else {
            &weights[group * conv.w_group..][..conv.w_group]
        }
    }
}

impl ConvBackward {
    /// dx[y] is the sum over taps t of dz[(y + before - t) / stride]: a correlation of the flipped
    /// kernel with `dz`, spread out by the stride and with a border of k - 1 - before. Only where
    /// somebody asks for dx.
    fn new(conv: &ConvSource, (input, middle): (Extent, Extent), wants_dx: bool, isa: Isa) -> Self {
        let lanes = isa.lanes();
        let (k, stride, before) = (conv.kernel_size, conv.stride, conv.pads.0);
        let (ins, outs) = (input.channels / conv.groups, middle.channels / conv.groups);
        let (border, skip) = if wants_dx {
            ((k - 1).saturating_sub(before), before.saturating_sub(k - 1))
        } else {
            (0, 0)
        };
        let spread = |count: usize| (count - 1) * stride + 1;
        let side = |spread: usize, input: usize| {
            if wants_dx {
                border + spread.max(input + before)
            } else {
                spread
            }
        };
        let rows = side(spread(middle.rows), input.rows);
        let row = side(spread(middle.columns), input.columns) * lanes;
        let dz = Layout {
            offset: border * (row + lanes),
            channel: rows * row,
            row: stride * row,
            column: stride * lanes,
        };
        let step = conv_step(ins);
        let product = Product {
            out_step: input.rows * input.columns * lanes,
            column_x_step: lanes,
            column_out_step: lanes,
            row_out_step: input.columns * lanes,
            x_rows: border..(border + spread(middle.rows)).saturating_sub(skip),
            ..Product::new(
                ins,
                input.columns,
                [
                    taps(outs, dz.channel, k * k * step),
                    taps(k, row, k * step),
                    taps(k, lanes, step),
                ],
            )
        };
        Self {
            dz,
            dz_start: skip * (row + lanes),
            product: product.tiled(isa),
        }
    }
}
