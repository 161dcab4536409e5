//! A group of layers with everything worked out that the kernels need to run it.

use crate::kernels::{Epilogue, Extent, Isa, Pointwise, Product, Taps};
use crate::network::{Function, Group, GroupSource, KernelGraph, LinearSource, PAD, Shape};

use super::conv::Conv;
use super::layout::{Value, Weight, compact, extent, taps};
use super::parameters::Parameters;

/// At most this many blocks of images go through a linear layer together.
pub const MAX_BLOCKS: usize = 8;

/// Bytes of a linear layer's weights that are worked on together: a small part of a second-level
/// cache, and read in order.
const WEIGHT_BAND: usize = 128 << 10;

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
            GroupSource::Conv(conv) => {
                let weights = (
                    around.weight(conv.weight),
                    conv.bias.map(|bias| around.weight(bias)),
                );
                let wants_dx = around.handing != Handing::Nothing;
                let middle = extent(group.middle);
                let conv = Conv::new(conv, weights, input, middle, wants_dx, around.isa);
                Source::Conv(Box::new(conv))
            }
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

    /// Whether its source is a convolution by Winograd's tiles.
    pub fn has_tiles(&self) -> bool {
        matches!(&self.source, Source::Conv(conv) if conv.winograd.is_some())
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
