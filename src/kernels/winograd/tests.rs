use std::ops::Range;

use super::*;
use crate::kernels::{Correlate, Isa, Product, Start, Taps, correlate, product};
use crate::rng::Rng;

/// A convolution's sizes: input and output channels, rows and columns of the output.
type Sizes = (usize, usize, usize, usize);

const GRID: [Sizes; 9] = [
    (8, 8, 4, 4),
    (1, 3, 5, 7),
    (3, 17, 7, 9),
    (16, 16, 14, 14),
    (32, 64, 24, 24),
    (48, 64, 14, 14),
    (96, 40, 7, 7),
    (128, 96, 7, 7),
    (64, 32, 26, 26),
];

fn random(rng: &mut Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| 2.0 * rng.next_f32() - 1.0).collect()
}

/// Images, weights, biases and everything that is computed from them.
struct Case {
    sizes: Sizes,
    x: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    /// The gradient of the output, without borders.
    dz: Vec<f32>,
}

impl Case {
    fn new((ins, outs, rows, columns): Sizes, lanes: usize) -> Self {
        let mut rng = Rng::new(1, &[ins as u64, outs as u64]);
        Self {
            sizes: (ins, outs, rows, columns),
            x: random(&mut rng, ins * (rows + 2) * (columns + 2) * lanes),
            weights: random(&mut rng, ins * 9 * outs),
            bias: random(&mut rng, outs),
            dz: random(&mut rng, outs * rows * columns * lanes),
        }
    }

    /// In f64, of lane 1.
    fn exact(&self, lanes: usize) -> Vec<f64> {
        let (ins, outs, rows, columns) = self.sizes;
        let mut out = Vec::new();
        for o in 0..outs {
            for row in 0..rows {
                for column in 0..columns {
                    let mut sum = f64::from(self.bias[o]);
                    for tap in 0..ins * 9 {
                        let (channel, ky, kx) = (tap / 9, tap / 3 % 3, tap % 3);
                        let pixel = (channel * (rows + 2) + row + ky) * (columns + 2);
                        let pixel = self.x[(pixel + column + kx) * lanes + 1];
                        sum += f64::from(pixel) * f64::from(self.weights[tap * outs + o]);
                    }
                    out.push(sum);
                }
            }
        }
        out
    }

    fn direct(&self, isa: Isa) -> Vec<f32> {
        let (ins, outs, rows, columns) = self.sizes;
        let lanes = isa.lanes();
        let row = (columns + 2) * lanes;
        let taps = |count, x_step, w_step| Taps {
            count,
            x_step,
            w_step,
        };
        let of = Product {
            out_step: rows * columns * lanes,
            column_x_step: lanes,
            column_out_step: lanes,
            row_out_step: columns * lanes,
            x_rows: 0..rows + 2,
            ..Product::new(
                outs,
                columns,
                [
                    taps(ins, (rows + 2) * row, 9 * outs),
                    taps(3, row, 3 * outs),
                    taps(3, lanes, outs),
                ],
            )
        };
        let mut out = vec![0.0; outs * rows * columns * lanes];
        let start = Start::Bias(&self.bias);
        let of = of.tiled(isa);
        product(isa, &of, &self.weights, start, &self.x, 0..rows, &mut out);
        out
    }

    fn winograd(&self, isa: Isa, tile: Tile, bands: &[Range<usize>]) -> Vec<f32> {
        let (ins, outs, rows, columns) = self.sizes;
        let lanes = isa.lanes();
        let row = (columns + 2) * lanes;
        let sizes = Winograd::new(
            isa,
            tile,
            (ins, outs),
            (rows, columns),
            ((rows + 2) * row, row),
            outs,
        );
        let mut transformed = vec![f32::NAN; sizes.weights_len()];
        winograd_weights(isa, &sizes, &self.weights, &mut transformed);
        let mut scratch = vec![f32::NAN; sizes.scratch(isa)];
        let mut out = vec![f32::NAN; outs * rows * columns * lanes];
        for band in bands {
            winograd(
                isa,
                &sizes,
                &transformed,
                Start::Bias(&self.bias),
                &self.x,
                band.clone(),
                &mut out[band.start * columns * lanes..],
                (rows * columns * lanes, columns * lanes),
                &mut scratch,
            );
        }
        out
    }

    fn correlate(&self, lanes: usize) -> Correlate {
        let (ins, outs, rows, columns) = self.sizes;
        let row = (columns + 2) * lanes;
        Correlate {
            in_channels: ins,
            out_channels: outs,
            kernel_size: 3,
            rows,
            columns,
            x_channel: (rows + 2) * row,
            x_row: row,
            x_pixel: lanes,
            stride: 1,
            dz_channel: rows * columns * lanes,
            dz_row: columns * lanes,
            dz_column: lanes,
        }
    }

    /// The gradients of the weights in f64, `[in][row][column][out]`.
    fn exact_weights(&self, lanes: usize) -> Vec<f64> {
        let (ins, outs, rows, columns) = self.sizes;
        let mut exact = Vec::new();
        for tap in 0..ins * 9 {
            let (channel, ky, kx) = (tap / 9, tap / 3 % 3, tap % 3);
            for o in 0..outs {
                let mut sum = 0.0;
                for row in 0..rows {
                    let pixels = (channel * (rows + 2) + row + ky) * (columns + 2) + kx;
                    let gradients = (o * rows + row) * columns;
                    let len = columns * lanes;
                    let x = &self.x[pixels * lanes..][..len];
                    let dz = &self.dz[gradients * lanes..][..len];
                    let pairs = x.iter().zip(dz);
                    sum += pairs
                        .map(|(&x, &dz)| f64::from(x) * f64::from(dz))
                        .sum::<f64>();
                }
                exact.push(sum);
            }
        }
        exact
    }

    fn direct_weights(&self, isa: Isa) -> Vec<f32> {
        let (ins, outs, ..) = self.sizes;
        let sizes = self.correlate(isa.lanes());
        let mut dw = vec![f32::NAN; ins * 9 * outs];
        let mut scratch = vec![f32::NAN; sizes.scratch(isa)];
        correlate(isa, &sizes, &self.x, &self.dz, &mut dw, outs, &mut scratch);
        dw
    }

    fn winograd_weights(&self, isa: Isa, tile: Tile) -> Vec<f32> {
        let (ins, outs, ..) = self.sizes;
        let sizes = WinogradWeights::new(isa, tile, &self.correlate(isa.lanes()));
        let mut dw = vec![f32::NAN; ins * 9 * outs];
        let mut scratch = vec![f32::NAN; sizes.scratch(isa)];
        let (x, dz) = (&self.x, &self.dz);
        winograd_backward_weights(isa, &sizes, x, dz, &mut dw, outs, &mut scratch);
        dw
    }
}

fn mean_error<'a>(found: impl IntoIterator<Item = &'a f32>, exact: &[f64]) -> f64 {
    let pairs = found.into_iter().zip(exact);
    let errors = pairs.map(|(&f, e)| (f64::from(f) - e).abs());
    errors.sum::<f64>() / exact.len() as f64
}

/// Checks a mean over the grid of errors, measured in those of a direct sum.
fn check(isa: Isa, tile: Tile, what: &str, ratios: &[f64]) {
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    println!("{isa}, {tile:?}, {what}: {mean:.2} times the error of a direct sum, {ratios:.2?}");
    let most = match tile {
        Tile::Two => 4.0,
        Tile::Four => 20.0,
    };
    assert!(mean <= most, "{isa}, {tile:?}, {what}: {ratios:?}");
}

#[test]
fn errors_are_a_few_times_those_of_a_direct_sum() {
    for isa in Isa::available() {
        let lanes = isa.lanes();
        let of_lane =
            |found: &[f32]| -> Vec<f32> { found.iter().skip(1).step_by(lanes).copied().collect() };
        let mut ratios = [Tile::Two, Tile::Four].map(|tile| (tile, Vec::new(), Vec::new()));
        for sizes in GRID {
            let case = Case::new(sizes, lanes);
            let exact = case.exact(lanes);
            let direct = mean_error(&of_lane(&case.direct(isa)), &exact);
            let exact_weights = case.exact_weights(lanes);
            let direct_weights = mean_error(&case.direct_weights(isa), &exact_weights);
            let whole = 0..sizes.2;
            for (tile, forward, backward) in &mut ratios {
                let found = case.winograd(isa, *tile, std::slice::from_ref(&whole));
                forward.push(mean_error(&of_lane(&found), &exact) / direct);
                let found = case.winograd_weights(isa, *tile);
                backward.push(mean_error(&found, &exact_weights) / direct_weights);
            }
        }
        for (tile, forward, backward) in ratios {
            check(isa, tile, "forward", &forward);
            check(isa, tile, "backward-weights", &backward);
        }
    }
}

#[test]
fn bands_of_whole_tiles_give_the_same_bits() {
    for isa in Isa::available() {
        for tile in [Tile::Two, Tile::Four] {
            let case = Case::new((5, 6, 14, 10), isa.lanes());
            let whole = case.winograd(isa, tile, std::slice::from_ref(&(0..14)));
            let bands = case.winograd(isa, tile, &[0..4, 4..12, 12..14]);
            assert_eq!(whole, bands, "{isa}, {tile:?}");
        }
    }
}

#[test]
fn sums_are_added_to_what_is_there() {
    let isa = Isa::best();
    let case = Case::new((4, 5, 6, 6), isa.lanes());
    let lanes = isa.lanes();
    let row = 8 * lanes;
    let sizes = Winograd::new(isa, Tile::Four, (4, 5), (6, 6), (8 * row, row), 5);
    let mut transformed = vec![0.0; sizes.weights_len()];
    winograd_weights(isa, &sizes, &case.weights, &mut transformed);
    let mut scratch = vec![0.0; sizes.scratch(isa)];
    let mut run = |start, out: &mut [f32]| {
        let steps = (36 * lanes, 6 * lanes);
        winograd(
            isa,
            &sizes,
            &transformed,
            start,
            &case.x,
            0..6,
            out,
            steps,
            &mut scratch,
        );
    };
    let mut alone = vec![0.0; 5 * 36 * lanes];
    run(Start::Zero, &mut alone);
    let mut added = vec![2.0; 5 * 36 * lanes];
    run(Start::Out, &mut added);
    for (added, alone) in added.iter().zip(&alone) {
        assert_eq!(*added, 2.0 + alone);
    }
}
