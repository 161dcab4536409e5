//! A group of layers with everything worked out that the kernels need to run it.

use crate::kernels::{Correlate, Finish, Isa, Layout, Pointwise, Pool, Product, Taps};
use crate::network::Shape;

use super::parameters::{Kind, PAD, Parameter, conv_step};
use super::planner::{Group, GroupSource};

/// At most this many blocks of images go through a linear layer together.
pub(super) const MAX_BLOCKS: usize = 8;

/// Bytes of a linear layer's weights that are worked on together: a small part of a second-level
/// cache, and read in order.
const WEIGHT_BAND: usize = 128 << 10;

/// One stage. All lengths count f32 values of one block of images.
#[derive(Debug)]
pub(super) struct Stage {
    pub source: Source,
    pub norm: Option<Norm>,
    pub train: Finish,
    /// Without dropout.
    pub eval: Finish,
    /// Whether its values are features, each of them a channel with its own BatchNorm.
    pub norms_features: bool,
    /// Whether something before it learns.
    pub passes_gradient: bool,
    pub x_len: usize,
    /// What the source computes.
    pub z_len: usize,
    /// The stage's output, and its gradient.
    pub out_len: usize,
}

#[derive(Debug)]
pub(super) enum Source {
    Conv(Box<Conv>),
    Linear(Linear),
    /// The stage's input.
    Input,
}

#[derive(Debug)]
pub(super) struct Conv {
    /// Indices of the parameters.
    pub weight: usize,
    pub bias: Option<usize>,
    pub kernel_size: usize,
    pub ins: usize,
    pub outs: usize,
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
pub(super) struct Linear {
    pub weight: usize,
    pub bias: Option<usize>,
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
pub(super) struct Norm {
    /// The layer's number in the recipe.
    pub layer: usize,
    pub weight: usize,
    pub bias: usize,
    pub channels: usize,
    /// Values a channel and image.
    pub values: usize,
    pub eps: f64,
    pub momentum: f64,
}

/// Channels, rows and columns; a vector's features count as columns of a single channel.
fn sizes(shape: Shape) -> (usize, usize, usize) {
    match shape {
        Shape::Maps {
            channels,
            height,
            width,
        } => (channels, height, width),
        Shape::Features(features) => (1, 1, features),
    }
}

fn compact(rows: usize, columns: usize, lanes: usize) -> Layout {
    Layout {
        offset: 0,
        channel: rows * columns * lanes,
        row: columns * lanes,
        column: lanes,
    }
}

/// How a stage's input lies in memory, and how long it is.
fn input_layout(group: &Group, lanes: usize) -> (Layout, usize) {
    let (channels, rows, columns) = sizes(group.input);
    let (before, after) = match group.source {
        GroupSource::Conv { pads, .. } => pads,
        _ => (0, 0),
    };
    let (rows, columns) = (rows + before + after, columns + before + after);
    let mut layout = compact(rows, columns, lanes);
    layout.offset = before * (layout.row + layout.column);
    (layout, channels * layout.channel)
}

/// Every stage of the groups, and the parameters they use.
pub(super) fn stages(groups: &[Group], isa: Isa) -> (Vec<Stage>, Vec<Parameter>) {
    let mut parameters = Vec::new();
    let mut stages = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let is_conv = |next: &&Group| matches!(next.source, GroupSource::Conv { .. });
        let next = groups.get(index + 1).filter(is_conv);
        let place = Place {
            next: next.map(|next| input_layout(next, isa.lanes()).0),
            passes_gradient: groups[..index].iter().any(Group::has_parameters),
            isa,
        };
        stages.push(Stage::new(group, &place, &mut parameters));
    }
    (stages, parameters)
}

/// What a stage needs to know of those around it.
struct Place {
    /// Where the conv behind it wants its input.
    next: Option<Layout>,
    passes_gradient: bool,
    isa: Isa,
}

/// The layout of the network's input.
pub(super) fn first_layout(groups: &[Group], isa: Isa) -> Layout {
    input_layout(&groups[0], isa.lanes()).0
}

fn add(parameters: &mut Vec<Parameter>, layer: usize, name: &str, kind: Kind) -> usize {
    let start = parameters.last().map_or(0, |last| last.range().end);
    parameters.push(Parameter {
        name: format!("{layer}.{name}"),
        kind,
        start,
    });
    parameters.len() - 1
}

impl Stage {
    fn new(group: &Group, place: &Place, parameters: &mut Vec<Parameter>) -> Self {
        let isa = place.isa;
        let n = isa.lanes();
        let (x_layout, x_len) = input_layout(group, n);
        let source = match group.source {
            GroupSource::Conv { .. } => {
                Source::Conv(Box::new(Conv::new(group, x_layout, place, parameters)))
            }
            GroupSource::Linear { layer, bias } => {
                Source::Linear(Linear::new(group, layer, bias, isa, parameters))
            }
            GroupSource::Input => Source::Input,
        };
        let norm = group.norm.as_ref().map(|norm| {
            let channels = group.middle.channels();
            let (c, rows, columns) = sizes(group.middle);
            Norm {
                layer: norm.layer,
                weight: add(parameters, norm.layer, "weight", Kind::Vector(channels)),
                bias: add(parameters, norm.layer, "bias", Kind::Vector(channels)),
                channels,
                values: c * rows * columns / channels,
                eps: norm.eps,
                momentum: norm.momentum,
            }
        });

        let mut middle = sizes(group.middle);
        let mut out = match (group.pool, group.middle) {
            (Some((kernel, stride)), Shape::Maps { height, width, .. }) => {
                let side = |side: usize| (side - kernel) / stride + 1;
                (middle.0, side(height), side(width))
            }
            _ => middle,
        };
        let mut y = place.next.unwrap_or_else(|| compact(out.1, out.2, n));
        // Without a window to look at, and all channels alike, it is one long row; but BatchNorm
        // on features has each feature for a channel.
        let features = match (group.middle, &norm) {
            (Shape::Features(features), Some(_)) => Some(features),
            _ => None,
        };
        if let Some(features) = features {
            (middle, out) = ((features, 1, 1), (features, 1, 1));
            y = compact(1, 1, n);
        }
        let dropout = |f: &&Pointwise| !matches!(f, Pointwise::Dropout { .. });
        let train = Finish {
            channels: middle.0,
            rows: middle.1,
            columns: middle.2,
            pool: group.pool.map(|(kernel_size, stride)| Pool {
                kernel_size,
                stride,
            }),
            out_rows: out.1,
            out_columns: out.2,
            chain: group.chain.clone(),
            z: compact(middle.1, middle.2, n),
            y,
        };
        let eval = Finish {
            chain: group.chain.iter().filter(dropout).copied().collect(),
            ..train.clone()
        };
        Self {
            source,
            norm,
            passes_gradient: place.passes_gradient,
            x_len,
            z_len: middle.0 * middle.1 * middle.2 * n,
            out_len: train.outputs() * n,
            train,
            eval,
            norms_features: features.is_some(),
        }
    }

    /// Whether the values of all images must be there before the stage can go on behind its
    /// source.
    pub fn waits(&self) -> bool {
        self.norm.is_some()
    }

    /// Whether training keeps the whole of `z`: where there is no smaller record of it.
    pub fn keeps_z(&self) -> bool {
        !matches!(self.source, Source::Input) && (self.norm.is_some() || self.train.pool.is_none())
    }
}

impl Conv {
    fn new(group: &Group, x: Layout, place: &Place, parameters: &mut Vec<Parameter>) -> Self {
        let GroupSource::Conv {
            layer,
            kernel_size: k,
            stride,
            pads: (before, _),
            bias,
        } = group.source
        else {
            unreachable!("made for convs only")
        };
        let isa = place.isa;
        let n = isa.lanes();
        let (ins, height, width) = sizes(group.input);
        let (outs, rows, columns) = sizes(group.middle);
        let kind = Kind::Conv {
            outs,
            ins,
            kernel_size: k,
        };
        let weight = add(parameters, layer, "weight", kind);
        let bias = bias.then(|| add(parameters, layer, "bias", Kind::Vector(outs)));

        let taps = |count, x_step, w_step| Taps {
            count,
            x_step,
            w_step,
        };
        let step = conv_step(outs);
        let forward_taps = [
            taps(ins, x.channel, k * k * step),
            taps(k, x.row, k * step),
            taps(k, n, step),
        ];
        let forward = Product {
            out_step: rows * columns * n,
            column_x_step: stride * n,
            column_out_step: n,
            row_out_step: columns * n,
            row_stride: stride,
            x_rows: before..before + height,
            ..Product::new(outs, columns, forward_taps)
        };

        // dx[y] is the sum over taps t of dz[(y + before - t) / stride]: a correlation of the
        // flipped kernel with `dz`, spread out by the stride and with a border of k - 1 - before.
        // Only where somebody asks for dx.
        let (border, skip) = match place.passes_gradient {
            true => ((k - 1).saturating_sub(before), before.saturating_sub(k - 1)),
            false => (0, 0),
        };
        let spread = |count: usize| (count - 1) * stride + 1;
        let side = |spread: usize, input: usize| match place.passes_gradient {
            true => border + spread.max(input + before),
            false => spread,
        };
        let dz_rows = side(spread(rows), height);
        let dz_columns = side(spread(columns), width);
        let dz_row = dz_columns * n;
        let dz = Layout {
            offset: border * (dz_row + n),
            channel: dz_rows * dz_row,
            row: stride * dz_row,
            column: stride * n,
        };
        let step = conv_step(ins);
        let backward_taps = [
            taps(outs, dz.channel, k * k * step),
            taps(k, dz_row, k * step),
            taps(k, n, step),
        ];
        let backward = Product {
            out_step: height * width * n,
            column_x_step: n,
            column_out_step: n,
            row_out_step: width * n,
            x_rows: border..(border + spread(rows)).saturating_sub(skip),
            ..Product::new(ins, width, backward_taps)
        };
        Self {
            weight,
            bias,
            kernel_size: k,
            ins,
            outs,
            forward: forward.tiled(isa),
            backward: backward.tiled(isa),
            dz_start: skip * (dz_row + n),
            correlate: Correlate {
                in_channels: ins,
                out_channels: outs,
                kernel_size: k,
                rows,
                columns,
                x_channel: x.channel,
                x_row: x.row,
                x_pixel: n,
                stride,
                dz_channel: dz.channel,
                dz_row: dz.row,
                dz_column: dz.column,
            },
            dz,
            dz_len: outs * dz.channel,
        }
    }
}

impl Linear {
    fn new(
        group: &Group,
        layer: usize,
        bias: bool,
        isa: Isa,
        parameters: &mut Vec<Parameter>,
    ) -> Self {
        let n = isa.lanes();
        let (_, _, ins) = sizes(group.input);
        let (_, _, outs) = sizes(group.middle);
        let out_step = outs.next_multiple_of(PAD);
        let band = (WEIGHT_BAND / 4 / out_step).max(16);
        let forward = |blocks| {
            let taps = Taps {
                count: ins,
                x_step: n,
                w_step: out_step,
            };
            let product = Product {
                out_step: n,
                column_x_step: ins * n,
                column_out_step: outs * n,
                ..Product::new(outs, blocks, [Taps::ONE, Taps::ONE, taps])
            };
            product.tiled(isa)
        };
        let backward = |blocks| {
            let taps = Taps {
                count: outs,
                x_step: n,
                w_step: 1,
            };
            let product = Product {
                out_step: n,
                out_w_step: out_step,
                column_x_step: outs * n,
                column_out_step: ins * n,
                ..Product::new(ins, blocks, [Taps::ONE, Taps::ONE, taps])
            };
            product.tiled(isa)
        };
        let kind = Kind::Linear { outs, ins };
        Self {
            weight: add(parameters, layer, "weight", kind),
            bias: bias.then(|| add(parameters, layer, "bias", Kind::Vector(outs))),
            ins,
            out_step,
            band,
            forward: (1..=MAX_BLOCKS).map(forward).collect(),
            backward: (1..=MAX_BLOCKS).map(backward).collect(),
        }
    }
}
