//! `cargo bench --bench convolutions`: the three passes of single convolutions on one core, in billions of
//! multiply-adds a second (zeros of the border counted), for every instruction set that the
//! processor has. The depthwise convolution of 16 channels and the dense one of 4 have the same number of them.
//!
//! Of dense convolutions with 3x3 kernels three ways are measured: directly, and by Winograd's tiles of
//! 2x2 and of 4x4 outputs, which count as the multiply-adds that they spare. `Tile::of` chooses among them.
//!
//! All measurements of a pass take turns, and the figures are medians. `-- TEXT` measures only the
//! convolutions with this text in their names.

use std::ops::Range;
use std::time::{Duration, Instant};

use mnistctl::kernels::{
    self, Buffer, Correlate, Isa, Product, Start, Taps, Tile, Winograd, WinogradWeights,
};

const ROUNDS: usize = 15;
const MEASUREMENT: Duration = Duration::from_millis(10);

/// Stride 1, as many columns and rows out as in.
#[derive(Debug, Clone, Copy)]
struct Shape {
    name: &'static str,
    groups: usize,
    /// Channels of a group.
    ins: usize,
    outs: usize,
    kernel_size: usize,
    side: usize,
}

const fn dense(name: &'static str, channels: usize, kernel_size: usize, side: usize) -> Shape {
    Shape {
        name,
        groups: 1,
        ins: channels,
        outs: channels,
        kernel_size,
        side,
    }
}

const fn depthwise(name: &'static str, channels: usize, kernel_size: usize, side: usize) -> Shape {
    Shape {
        groups: channels,
        ins: 1,
        outs: 1,
        ..dense(name, channels, kernel_size, side)
    }
}

/// Dense, with a 3x3 kernel.
const fn between(name: &'static str, ins: usize, outs: usize, side: usize) -> Shape {
    Shape {
        outs,
        ..dense(name, ins, 3, side)
    }
}

const SHAPES: &[Shape] = &[
    dense("dense 2 to 2, 3x3, 28x28", 2, 3, 28),
    dense("dense 4 to 4, 3x3, 28x28", 4, 3, 28),
    depthwise("depthwise 16, 3x3, 28x28", 16, 3, 28),
    dense("dense 2 to 2, 3x3, 14x14", 2, 3, 14),
    dense("dense 4 to 4, 3x3, 14x14", 4, 3, 14),
    depthwise("depthwise 16, 3x3, 14x14", 16, 3, 14),
    dense("dense 2 to 2, 3x3, 7x7", 2, 3, 7),
    dense("dense 4 to 4, 3x3, 7x7", 4, 3, 7),
    depthwise("depthwise 16, 3x3, 7x7", 16, 3, 7),
    dense("dense 2 to 2, 5x5, 14x14", 2, 5, 14),
    dense("dense 4 to 4, 5x5, 14x14", 4, 5, 14),
    depthwise("depthwise 16, 5x5, 14x14", 16, 5, 14),
    between("dense 4 to 8, 3x3, 28x28", 4, 8, 28),
    between("dense 8 to 8, 3x3, 28x28", 8, 8, 28),
    between("dense 8 to 16, 3x3, 14x14", 8, 16, 14),
    between("dense 16 to 16, 3x3, 28x28", 16, 16, 28),
    between("dense 16 to 32, 3x3, 14x14", 16, 32, 14),
    between("dense 16 to 16, 3x3, 7x7", 16, 16, 7),
    between("dense 32 to 64, 3x3, 14x14", 32, 64, 14),
    between("dense 48 to 64, 3x3, 14x14", 48, 64, 14),
    between("dense 64 to 96, 3x3, 7x7", 64, 96, 7),
    between("dense 96 to 128, 3x3, 7x7", 96, 128, 7),
];

/// Every way to compute a convolution; none but `None` for those with groups or other kernels.
fn ways(shape: Shape) -> Vec<Option<Tile>> {
    if shape.kernel_size == 3 && shape.groups == 1 {
        vec![None, Some(Tile::Two), Some(Tile::Four)]
    } else {
        vec![None]
    }
}

/// A convolution's buffers for one block of images.
struct Layer {
    shape: Shape,
    tile: Option<Tile>,
    winograd: Option<ByWinograd>,
    isa: Isa,
    x: Buffer,
    dz: Buffer,
    weights: Vec<f32>,
    z: Buffer,
    scratch: Buffer,
    forward: Product,
    backward: Product,
    correlate: Correlate,
}

struct ByWinograd {
    forward: Winograd,
    backward: Winograd,
    weights: WinogradWeights,
    transformed: Vec<f32>,
}

impl Layer {
    fn new(shape: Shape, tile: Option<Tile>, isa: Isa) -> Self {
        let lanes = isa.lanes();
        let padded = shape.side + shape.kernel_size - 1;
        let random = |len: usize| {
            let mut buffer = Buffer::zeros(len);
            for (i, value) in buffer.iter_mut().enumerate() {
                *value = (i * 7919 % 1013) as f32 / 1013.0 - 0.5;
            }
            buffer
        };
        let maps = |channels: usize, side: usize| shape.groups * channels * side * side * lanes;
        let weights = shape.groups * shape.ins * shape.outs * shape.kernel_size.pow(2);
        let winograd = tile.map(|tile| {
            let (ins, outs, side) = (shape.ins, shape.outs, (shape.side, shape.side));
            let steps = (padded * padded * lanes, padded * lanes);
            let forward = Winograd::new(isa, tile, (ins, outs), side, steps, outs);
            ByWinograd {
                backward: Winograd::new(isa, tile, (outs, ins), side, steps, ins),
                weights: WinogradWeights::new(isa, tile, &correlate(shape, lanes)),
                transformed: random(forward.weights_len()).to_vec(),
                forward,
            }
        });
        let scratch = winograd.as_ref().map_or(0, |winograd| {
            let products = winograd
                .forward
                .scratch(isa)
                .max(winograd.backward.scratch(isa));
            products.max(winograd.weights.scratch(isa))
        });
        Self {
            tile,
            winograd,
            x: random(maps(shape.ins, padded)),
            dz: random(maps(shape.outs, padded)),
            weights: random(weights).to_vec(),
            z: Buffer::zeros(maps(shape.ins.max(shape.outs), shape.side)),
            scratch: Buffer::zeros(scratch.max(correlate(shape, lanes).scratch(isa))),
            forward: product(shape, isa, shape.ins, shape.outs),
            backward: product(shape, isa, shape.outs, shape.ins),
            correlate: correlate(shape, lanes),
            shape,
            isa,
        }
    }

    /// One of the channels' groups in a buffer of `shape.groups` equal parts.
    fn group(&self, len: usize, group: usize) -> Range<usize> {
        let part = len / self.shape.groups;
        group * part..(group + 1) * part
    }

    fn run(&mut self, pass: Pass) {
        if let Some(winograd) = &self.winograd {
            let (isa, side, lanes) = (self.isa, self.shape.side, self.isa.lanes());
            let (sizes, from) = match pass {
                Pass::Forward => (&winograd.forward, &self.x),
                Pass::BackwardData => (&winograd.backward, &self.dz),
                Pass::BackwardWeights => {
                    return kernels::winograd_backward_weights(
                        isa,
                        &winograd.weights,
                        &self.x,
                        &self.dz,
                        &mut self.weights,
                        self.shape.outs,
                        &mut self.scratch,
                    );
                }
            };
            return kernels::winograd(
                isa,
                sizes,
                &winograd.transformed,
                Start::Zero,
                from,
                0..side,
                &mut self.z,
                (side * side * lanes, side * lanes),
                &mut self.scratch,
            );
        }
        for group in 0..self.shape.groups {
            let x = self.group(self.x.len(), group);
            let dz = self.group(self.dz.len(), group);
            let weights = self.group(self.weights.len(), group);
            let z = self.group(self.z.len(), group);
            let (x, dz) = (&self.x[x], &self.dz[dz]);
            let rows = 0..self.shape.side;
            match pass {
                Pass::Forward | Pass::BackwardData => {
                    let (sizes, from) = match pass {
                        Pass::Forward => (&self.forward, x),
                        _ => (&self.backward, dz),
                    };
                    let (weights, z) = (&self.weights[weights], &mut self.z[z]);
                    kernels::product(self.isa, sizes, weights, Start::Zero, from, rows, z);
                }
                Pass::BackwardWeights => {
                    let dw = &mut self.weights[weights];
                    let outs = self.shape.outs;
                    kernels::correlate(
                        self.isa,
                        &self.correlate,
                        x,
                        dz,
                        dw,
                        outs,
                        &mut self.scratch,
                    );
                }
            }
        }
    }

    /// Billions of multiply-adds a second.
    fn measure(&mut self, pass: Pass) -> f64 {
        self.run(pass);
        let started = Instant::now();
        let mut runs = 0;
        while started.elapsed() < MEASUREMENT {
            self.run(pass);
            runs += 1;
        }
        let seconds = started.elapsed().as_secs_f64();
        let Shape {
            groups,
            ins,
            outs,
            kernel_size,
            side,
            ..
        } = self.shape;
        let each = groups * ins * outs * kernel_size.pow(2) * side.pow(2) * self.isa.lanes();
        (runs * each) as f64 / seconds / 1e9
    }
}

/// The sum over `ins` channels that a pass takes for each of `outs`, forward or backward.
fn product(shape: Shape, isa: Isa, ins: usize, outs: usize) -> Product {
    let (lanes, k, side) = (isa.lanes(), shape.kernel_size, shape.side);
    let row = (side + k - 1) * lanes;
    let taps = |count, x_step, w_step| Taps {
        count,
        x_step,
        w_step,
    };
    let product = Product {
        out_step: side * side * lanes,
        column_x_step: lanes,
        column_out_step: lanes,
        row_out_step: side * lanes,
        x_rows: 0..side + k - 1,
        ..Product::new(
            outs,
            side,
            [
                taps(ins, (side + k - 1) * row, k * k * outs),
                taps(k, row, k * outs),
                taps(k, lanes, outs),
            ],
        )
    };
    product.tiled(isa)
}

fn correlate(shape: Shape, lanes: usize) -> Correlate {
    let row = (shape.side + shape.kernel_size - 1) * lanes;
    let channel = (shape.side + shape.kernel_size - 1) * row;
    Correlate {
        in_channels: shape.ins,
        out_channels: shape.outs,
        kernel_size: shape.kernel_size,
        rows: shape.side,
        columns: shape.side,
        x_channel: channel,
        x_row: row,
        x_pixel: lanes,
        stride: 1,
        dz_channel: channel,
        dz_row: row,
        dz_column: lanes,
    }
}

#[derive(Debug, Clone, Copy)]
enum Pass {
    Forward,
    BackwardData,
    BackwardWeights,
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let is_option = |arg: &String| arg.starts_with("--");
    let filter = std::env::args().skip(1).find(|arg| !is_option(arg));
    let filter = filter.unwrap_or_default();
    for isa in Isa::available() {
        println!("\n{isa}, billions of multiply-adds a second");
        println!(
            "{:36}{:>12}{:>16}{:>18}",
            "", "forward", "backward-data", "backward-weights"
        );
        let chosen = SHAPES.iter().filter(|shape| shape.name.contains(&filter));
        let each = |&shape: &Shape| {
            let tiles = ways(shape).into_iter();
            tiles.map(move |tile| Layer::new(shape, tile, isa))
        };
        let mut layers: Vec<Layer> = chosen.flat_map(each).collect();
        let passes = [Pass::Forward, Pass::BackwardData, Pass::BackwardWeights];
        let mut figures = vec![[(); 3].map(|()| Vec::new()); layers.len()];
        for _ in 0..ROUNDS {
            for (place, pass) in passes.into_iter().enumerate() {
                for (layer, figures) in layers.iter_mut().zip(&mut figures) {
                    figures[place].push(layer.measure(pass));
                }
            }
        }
        for (layer, figures) in layers.iter().zip(figures) {
            let [forward, data, weights] = figures.map(median);
            let way = match layer.tile {
                None => "",
                Some(Tile::Two) => "F(2x2)",
                Some(Tile::Four) => "F(4x4)",
            };
            println!(
                "{:28}{way:8}{forward:>12.1}{data:>16.1}{weights:>18.1}",
                layer.shape.name
            );
        }
    }
}
