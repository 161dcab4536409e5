//! A group of layers with everything worked out that the kernels need to run it.

use std::ops::Range;

use crate::kernels::{Correlate, Epilogue, Extent, Isa, Layout, Pointwise, Product, Taps};
use crate::network::{
    ConvSource, Function, Group, GroupSource, KernelGraph, LinearSource, PAD, Shape, conv_step,
};

use super::parameters::Parameters;

/// At most this many blocks of images go through a linear layer together.
pub const MAX_BLOCKS: usize = 8;

/// Bytes of a linear layer's weights that are worked on together: a small part of a second-level
/// cache, and read in order.
const WEIGHT_BAND: usize = 128 << 10;

/// A trained parameter: the plan's number of it, and where it is in the vector of all.
#[derive(Debug, Clone)]
pub struct Weight {
    pub number: usize,
    pub range: Range<usize>,
}

/// The activations that stages pass on, of one block of images.
#[derive(Debug, Clone)]
pub struct Value {
    pub extent: Extent,
    /// With the border of zeros that the widest convolution reading it needs.
    pub layout: Layout,
    /// f32 values, border included.
    pub len: usize,
}

/// How a stage hands on the gradient of what it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handing {
    /// Nothing before it learns.
    Nothing,
    /// It is the first, on the way back, that has a part in the gradient.
    Write,
    /// It adds its part.
    Add,
}

/// One stage. All lengths count f32 values of one block of images.
#[derive(Debug)]
pub struct Stage {
    pub source: Source,
    pub norm: Option<Norm>,
    pub train: Epilogue<Function>,
    /// Without what evaluation leaves out.
    pub eval: Epilogue<Function>,
    /// The learned weights of the chain's first function.
    pub chain_weight: Option<Weight>,
    /// Whether its values are features, each of them a channel by itself.
    pub has_feature_channels: bool,
    /// The values it reads and writes.
    pub input: usize,
    pub output: usize,
    pub handing: Handing,
    /// Whether it learns, or anything before it does.
    pub has_gradient: bool,
    /// What the source computes.
    pub z_len: usize,
    /// The stage's output without borders, and its gradient.
    pub out_len: usize,
}

#[derive(Debug)]
pub enum Source {
    Conv(Box<Conv>),
    Linear(Linear),
    Sum {
        other: usize,
        handing: Handing,
        extent: Extent,
    },
    /// The stage's input.
    Input,
}

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
}

#[derive(Debug)]
pub struct Linear {
    pub weight: Weight,
    pub bias: Option<Weight>,
    pub ins: usize,
    /// A weight row's length: the outputs, padded.
    pub out_step: usize,
    /// Inputs whose weights are worked on together.
    pub band: usize,
    /// For 1, 2, ... blocks.
    pub forward: Vec<Product>,
    pub backward: Vec<Product>,
}

#[derive(Debug)]
pub struct Norm {
    pub weight: Weight,
    pub bias: Weight,
    /// The places of its running statistics.
    pub mean: usize,
    pub variance: usize,
    pub channels: usize,
    /// Values a channel and image.
    pub values: usize,
    pub eps: f64,
    pub momentum: f64,
}

/// Channels, rows and columns; a vector's features count as columns of a single channel.
fn extent(shape: Shape) -> Extent {
    match shape {
        Shape::Maps {
            channels,
            height,
            width,
        } => Extent {
            channels,
            rows: height,
            columns: width,
        },
        Shape::Features(features) => Extent {
            channels: 1,
            rows: 1,
            columns: features,
        },
    }
}

/// Without borders or gaps.
pub fn compact(rows: usize, columns: usize, lanes: usize) -> Layout {
    Layout {
        offset: 0,
        channel: rows * columns * lanes,
        row: columns * lanes,
        column: lanes,
    }
}

/// The values that a group reads.
fn reads(group: &Group) -> impl Iterator<Item = usize> + use<> {
    let other = match group.source {
        GroupSource::Sum { other } => Some(other),
        _ => None,
    };
    [group.input].into_iter().chain(other)
}

/// Every value of a graph.
pub fn values(graph: &KernelGraph, isa: Isa) -> Vec<Value> {
    let lanes = isa.lanes();
    let shapes = graph.values.iter().enumerate();
    let value = |(number, &shape): (usize, &Shape)| {
        let pads = graph.groups.iter().filter_map(|group| match &group.source {
            GroupSource::Conv(conv) if group.input == number => Some(conv.pads),
            _ => None,
        });
        let (before, after) = pads.fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let extent = extent(shape);
        let (rows, columns) = (
            extent.rows + before + after,
            extent.columns + before + after,
        );
        let mut layout = compact(rows, columns, lanes);
        layout.offset = before * (layout.row + layout.column);
        Value {
            extent,
            layout,
            len: extent.channels * layout.channel,
        }
    };
    shapes.map(value).collect()
}

/// Every stage of a graph.
pub fn stages(
    graph: &KernelGraph,
    values: &[Value],
    parameters: &Parameters,
    isa: Isa,
) -> Vec<Stage> {
    let mut has_gradient = vec![false; values.len()];
    for group in &graph.groups {
        let learns = match group.source {
            GroupSource::Conv(_) | GroupSource::Linear(_) => true,
            GroupSource::Sum { .. } | GroupSource::Input => false,
        } || group.norm.is_some()
            || group.chain_weight.is_some();
        has_gradient[group.output] = learns || reads(group).any(|value| has_gradient[value]);
    }
    let mut written = vec![false; values.len()];
    let mut stages: Vec<Stage> = Vec::new();
    for group in graph.groups.iter().rev() {
        let mut handing = reads(group).map(|value| {
            if !has_gradient[value] {
                Handing::Nothing
            } else if std::mem::replace(&mut written[value], true) {
                Handing::Add
            } else {
                Handing::Write
            }
        });
        let around = Around {
            values,
            parameters,
            isa,
            handing: handing.next().unwrap_or(Handing::Nothing),
            other_handing: handing.next().unwrap_or(Handing::Nothing),
        };
        drop(handing);
        let mut stage = Stage::new(group, &around);
        stage.has_gradient = has_gradient[group.output];
        stages.push(stage);
    }
    stages.reverse();
    stages
}

/// What a stage needs to know of what is around it.
struct Around<'a> {
    values: &'a [Value],
    parameters: &'a Parameters,
    isa: Isa,
    handing: Handing,
    other_handing: Handing,
}

impl Around<'_> {
    fn weight(&self, number: usize) -> Weight {
        Weight {
            number,
            range: self.parameters.range(number),
        }
    }
}

impl Stage {
    fn new(group: &Group, around: &Around<'_>) -> Self {
        let lanes = around.isa.lanes();
        let (input, output) = (&around.values[group.input], &around.values[group.output]);
        let source = match &group.source {
            GroupSource::Conv(conv) => Source::Conv(Box::new(Conv::new(group, conv, around))),
            GroupSource::Linear(linear) => Source::Linear(Linear::new(group, linear, around)),
            GroupSource::Sum { other } => Source::Sum {
                other: *other,
                handing: around.other_handing,
                extent: extent(group.middle),
            },
            GroupSource::Input => Source::Input,
        };
        let middle = extent(group.middle);
        let norm = group.norm.as_ref().map(|norm| {
            let channels = group.middle.channels();
            Norm {
                weight: around.weight(norm.weight),
                bias: around.weight(norm.bias),
                mean: around.parameters.running(norm.mean),
                variance: around.parameters.running(norm.variance),
                channels,
                values: middle.channels * middle.rows * middle.columns / channels,
                eps: norm.eps,
                momentum: norm.momentum,
            }
        });
        let chain_weight = group.chain_weight.map(|number| {
            // Without the padding: one weight stands for all channels.
            let Weight { number, range } = around.weight(number);
            let weights = around.parameters.elements(number);
            Weight {
                number,
                range: range.start..range.start + weights,
            }
        });
        let weights = chain_weight.as_ref().map_or(0, |w| w.range.len());
        // All values of a vector are one long row of a channel; but with BatchNorm or a weight for
        // each, every feature is a channel.
        let has_feature_channels =
            matches!(group.middle, Shape::Features(_)) && (norm.is_some() || weights > 1);
        let train = epilogue(group, has_feature_channels, (input, output), lanes);
        let eval = Epilogue {
            chain: without_training(&group.chain),
            ..train.clone()
        };
        Self {
            source,
            norm,
            chain_weight,
            has_feature_channels,
            input: group.input,
            output: group.output,
            handing: around.handing,
            has_gradient: true,
            z_len: middle.channels * middle.rows * middle.columns * lanes,
            out_len: train.outputs() * lanes,
            train,
            eval,
        }
    }

    /// Whether the values of all images must be there before the stage can go on behind its
    /// source.
    pub fn waits(&self) -> bool {
        self.norm.is_some()
    }

    /// Whether training keeps the whole of `z`: where there is no smaller record of it.
    pub fn keeps_z(&self) -> bool {
        match self.source {
            Source::Input => false,
            Source::Sum { .. } => true,
            Source::Conv(_) | Source::Linear(_) => self.norm.is_some() || self.train.pool.is_none(),
        }
    }

    /// The values it reads.
    pub fn reads(&self) -> impl Iterator<Item = usize> + use<> {
        let other = match self.source {
            Source::Sum { other, .. } => Some(other),
            _ => None,
        };
        [self.input].into_iter().chain(other)
    }

    /// Whether the gradient of a linear layer's `z` is another than that of what the first pass
    /// backward leaves.
    pub fn needs_dz(&self) -> bool {
        self.norm.is_some()
    }

    /// Whether its source learns.
    pub fn source_learns(&self) -> bool {
        matches!(self.source, Source::Conv(_) | Source::Linear(_))
    }

    /// Whether it hands on a gradient, to one value at least.
    pub fn hands_on(&self) -> bool {
        let other = match self.source {
            Source::Sum { handing, .. } => handing,
            _ => Handing::Nothing,
        };
        self.handing != Handing::Nothing || other != Handing::Nothing
    }
}

/// The epilogue of a group, as training runs it.
fn epilogue(
    group: &Group,
    has_feature_channels: bool,
    (input, output): (&Value, &Value),
    lanes: usize,
) -> Epilogue<Function> {
    let middle = extent(group.middle);
    let pooled = |side: usize| match group.pool {
        Some(pool) => (side - pool.kernel_size) / pool.stride + 1,
        None => side,
    };
    let (out_rows, out_columns) = match group.middle {
        Shape::Maps { .. } => (pooled(middle.rows), pooled(middle.columns)),
        Shape::Features(_) => (middle.rows, middle.columns),
    };
    if has_feature_channels {
        return Epilogue {
            channels: middle.columns,
            rows: 1,
            columns: 1,
            pool: None,
            out_rows: 1,
            out_columns: 1,
            chain: group.chain.clone(),
            z: compact(1, 1, lanes),
            y: compact(1, 1, lanes),
        };
    }
    // A vector that was made of feature maps lies in memory as they would.
    let flattened = compact(out_rows, out_columns, lanes);
    let written = Extent {
        channels: middle.channels,
        rows: out_rows,
        columns: out_columns,
    };
    let y = if output.extent == written {
        output.layout
    } else {
        flattened
    };
    Epilogue {
        channels: middle.channels,
        rows: middle.rows,
        columns: middle.columns,
        pool: group.pool,
        out_rows,
        out_columns,
        chain: group.chain.clone(),
        z: match group.source {
            GroupSource::Input => input.layout,
            _ => compact(middle.rows, middle.columns, lanes),
        },
        y,
    }
}

fn without_training(chain: &[Function]) -> Vec<Function> {
    let stay = chain.iter().filter(|function| !function.only_in_training());
    stay.copied().collect()
}

/// Taps that step through an input and through weights.
pub fn taps(count: usize, x_step: usize, w_step: usize) -> Taps {
    Taps {
        count,
        x_step,
        w_step,
    }
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
    fn new(group: &Group, conv: &ConvSource, around: &Around<'_>) -> Self {
        let lanes = around.isa.lanes();
        let input = &around.values[group.input];
        let x = input.layout;
        let (k, groups) = (conv.kernel_size, conv.groups);
        let before = conv.pads.0;
        let middle = extent(group.middle);
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
        let backward = ConvBackward::new(conv, (input.extent, middle), around);
        let dz = backward.dz;
        Self {
            weight: around.weight(conv.weight),
            bias: conv.bias.map(|bias| around.weight(bias)),
            groups,
            kernel_size: k,
            ins,
            outs,
            x_start: x.offset - before * (x.row + x.column),
            x_group: ins * x.channel,
            w_group: ins * k * k * step,
            dz_group: outs * dz.channel,
            forward: forward.tiled(around.isa),
            backward: backward.product,
            dz_start: backward.dz_start,
            correlate: Correlate {
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
            },
            dz,
            dz_len: groups * outs * dz.channel,
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
    pub fn band(&self, stage: &Stage) -> usize {
        /// Bytes: a small part of a second-level cache.
        const BAND: usize = 160 << 10;
        let (window, _) = stage.train.window();
        let row = stage.train.channels * window * stage.train.z.row * 4;
        (BAND / row).clamp(1, stage.train.out_rows)
    }

    /// The rows of `z` that these need.
    pub fn band_rows(&self, stage: &Stage) -> usize {
        let (window, stride) = stage.train.window();
        (self.band(stage) - 1) * stride + window
    }

    pub fn band_len(&self, stage: &Stage) -> usize {
        stage.train.channels * self.band_rows(stage) * stage.train.z.row
    }
}

impl ConvBackward {
    /// dx[y] is the sum over taps t of dz[(y + before - t) / stride]: a correlation of the flipped
    /// kernel with `dz`, spread out by the stride and with a border of k - 1 - before. Only where
    /// somebody asks for dx.
    fn new(conv: &ConvSource, (input, middle): (Extent, Extent), around: &Around<'_>) -> Self {
        let lanes = around.isa.lanes();
        let (k, stride, before) = (conv.kernel_size, conv.stride, conv.pads.0);
        let (ins, outs) = (input.channels / conv.groups, middle.channels / conv.groups);
        let wants_dx = around.handing != Handing::Nothing;
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
            product: product.tiled(around.isa),
        }
    }
}

impl Linear {
    fn new(group: &Group, linear: &LinearSource, around: &Around<'_>) -> Self {
        let lanes = around.isa.lanes();
        let ins = around.values[group.input].extent.columns;
        let outs = extent(group.middle).columns;
        let out_step = outs.next_multiple_of(PAD);
        let product = |blocks, from: usize, to: usize, w_step, out_w_step| {
            let taps = taps(from, lanes, w_step);
            let product = Product {
                out_step: lanes,
                out_w_step,
                column_x_step: from * lanes,
                column_out_step: to * lanes,
                ..Product::new(to, blocks, [Taps::ONE, Taps::ONE, taps])
            };
            product.tiled(around.isa)
        };
        let forward = |blocks| product(blocks, ins, outs, out_step, 1);
        let backward = |blocks| product(blocks, outs, ins, 1, out_step);
        Self {
            weight: around.weight(linear.weight),
            bias: linear.bias.map(|bias| around.weight(bias)),
            ins,
            out_step,
            band: (WEIGHT_BAND / 4 / out_step).max(16),
            forward: (1..=MAX_BLOCKS).map(forward).collect(),
            backward: (1..=MAX_BLOCKS).map(backward).collect(),
        }
    }
}
