//! Outputs of a convolution, or the gradient of its input, which is a convolution of the gradient of
//! its output.

use std::ops::Range;

use super::scheme::{Four, KERNEL, MAX_OUTPUTS, MAX_PIXELS, Scheme, Tile, Two};
use super::tiles::{Grid, Tiles, place_step, together, transform_pixels};
use crate::kernels::lanes::{Isa, Lanes, kernel};
use crate::kernels::product::product;
use crate::kernels::product_form::{Product, Start, Taps};
use crate::kernels::{assert_inside, last};

/// A convolution with a 3x3 kernel and stride 1: its extents and steps, which count f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct Winograd {
    tile: Tile,
    grid: Grid,
    outs: usize,
    /// How far apart the weights of neighbouring taps are, and those of neighbouring inputs
    /// transformed.
    w_step: usize,
    /// Tiles, and outs, that are worked on together.
    tiles: usize,
    block: usize,
    /// The sum over the input channels at one place, for 1, 2, ... tiles.
    products: Vec<Product>,
}

impl Winograd {
    /// A convolution of `ins` channels of `rows + 2` by `columns + 2` pixels, `x_channel` and `x_row`
    /// apart, whose weights are `[in][row][column][out]`, `w_step` from tap to tap.
    pub fn new(
        isa: Isa,
        tile: Tile,
        (ins, outs): (usize, usize),
        (rows, columns): (usize, usize),
        (x_channel, x_row): (usize, usize),
        w_step: usize,
    ) -> Self {
        let lanes = isa.lanes();
        let grid = Grid {
            ins,
            rows,
            columns,
            x_channel,
            x_row,
        };
        let each = tile.places() * lanes * size_of::<f32>();
        let tiles = together(grid.tiles(tile, rows), each * ins);
        let block = together(outs, each * tiles);
        let product = |tiles: usize| {
            let taps = Taps {
                count: ins,
                x_step: tiles * lanes,
                w_step,
            };
            let product = Product {
                out_step: tiles * lanes,
                column_x_step: lanes,
                column_out_step: lanes,
                ..Product::new(block, tiles, [Taps::ONE, Taps::ONE, taps])
            };
            product.tiled(isa)
        };
        Self {
            tile,
            grid,
            outs,
            w_step,
            tiles,
            block,
            products: (1..=tiles).map(product).collect(),
        }
    }

    /// Rows that are computed together.
    pub fn tile_rows(&self) -> usize {
        self.tile.outputs()
    }

    /// How many values the transformed weights are.
    pub fn weights_len(&self) -> usize {
        self.tile.places() * self.grid.ins * self.w_step
    }

    /// How many values of scratch space [`winograd`] needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        self.tile.places() * (self.pixels_step(isa) + self.products_step(isa))
    }

    fn pixels_step(&self, isa: Isa) -> usize {
        place_step(self.grid.ins * self.tiles * isa.lanes())
    }

    fn products_step(&self, isa: Isa) -> usize {
        place_step(self.block * self.tiles * isa.lanes())
    }

    fn check(&self, lanes: usize, x: &[f32], out: (&[f32], usize, usize), rows: &Range<usize>) {
        self.grid.check(lanes, x, rows);
        let (out, out_step, row_out_step) = out;
        let outs = last(self.outs, out_step);
        let columns = last(self.grid.columns, lanes);
        let rows = last(rows.len(), row_out_step);
        assert_inside(&[outs, rows, columns], lanes, out.len());
    }
}

kernel! {
    /// Transforms weights `[in][row][column][out]` to `[place][in][out]`, neighbouring taps, and
    /// inputs, as far apart as the sizes say.
    ///
    /// Panics when a slice is too short.
    pub fn winograd_weights(
        sizes: &Winograd,
        weights: &[f32],
        transformed: &mut [f32],
    ) = winograd_weights_in
}

#[inline(always)]
fn winograd_weights_in<V: Lanes>(sizes: &Winograd, weights: &[f32], transformed: &mut [f32]) {
    match sizes.tile {
        Tile::Two => weights_by::<V, Two>(sizes, weights, transformed),
        Tile::Four => weights_by::<V, Four>(sizes, weights, transformed),
    }
}

#[inline(always)]
fn weights_by<V: Lanes, S: Scheme>(sizes: &Winograd, weights: &[f32], transformed: &mut [f32]) {
    let (ins, step) = (sizes.grid.ins, sizes.w_step);
    for input in 0..ins {
        let weights = &weights[input * KERNEL * KERNEL * step..];
        for first in (0..sizes.outs).step_by(V::N) {
            let outs = V::N.min(sizes.outs - first);
            let mut columns = [[V::splat(0.0); KERNEL]; MAX_PIXELS];
            for column in 0..KERNEL {
                let mut taps = [V::splat(0.0); KERNEL];
                for row in 0..KERNEL {
                    let tap = &weights[(row * KERNEL + column) * step + first..][..outs];
                    taps[row] = V::read_some(tap);
                }
                let taps = S::weights(taps);
                for row in 0..S::PIXELS {
                    columns[row][column] = taps[row];
                }
            }
            for row in 0..S::PIXELS {
                let line = S::weights(columns[row]);
                for column in 0..S::PIXELS {
                    let place = row * S::PIXELS + column;
                    let to = (place * ins + input) * step + first;
                    line[column].write_some(&mut transformed[to..][..outs]);
                }
            }
        }
    }
}

/// Computes the given rows of a convolution: `out[o][row][column]`, whose channels are `out_step` and
/// rows `row_out_step` apart, begins with the first of them, `x` with the first pixel that row 0 sees.
/// Adds the sums to what `start` says.
///
/// Panics when a slice is too short.
#[allow(clippy::too_many_arguments)]
pub fn winograd(
    isa: Isa,
    sizes: &Winograd,
    transformed: &[f32],
    start: Start<'_>,
    x: &[f32],
    rows: Range<usize>,
    out: &mut [f32],
    (out_step, row_out_step): (usize, usize),
    scratch: &mut [f32],
) {
    let lanes = isa.lanes();
    sizes.check(lanes, x, (out, out_step, row_out_step), &rows);
    let places = sizes.tile.places();
    let (ins, step) = (sizes.grid.ins, sizes.w_step);
    let (pixels_step, products_step) = (sizes.pixels_step(isa), sizes.products_step(isa));
    let (pixels, products) = scratch.split_at_mut(places * pixels_step);
    let all = sizes.grid.tiles(sizes.tile, rows.len());
    for first in (0..all).step_by(sizes.tiles) {
        let count = sizes.tiles.min(all - first);
        let tiles = Tiles {
            first,
            count,
            rows: (rows.start, rows.end),
        };
        transform_pixels(isa, sizes.tile, &sizes.grid, tiles, x, pixels, pixels_step);
        for first_out in (0..sizes.outs).step_by(sizes.block) {
            let outs = sizes.block.min(sizes.outs - first_out);
            let place_product = Product {
                outs,
                ..sizes.products[count - 1].clone()
            };
            for place in 0..places {
                product(
                    isa,
                    &place_product,
                    &transformed[place * ins * step + first_out..],
                    Start::Zero,
                    &pixels[place * pixels_step..],
                    0..1,
                    &mut products[place * products_step..],
                );
            }
            let start = match start {
                Start::Bias(bias) => Start::Bias(&bias[first_out..][..outs]),
                other => other,
            };
            let out = &mut out[first_out * out_step..];
            let steps = (out_step, row_out_step);
            let products = (&*products, products_step);
            transform_products(isa, sizes, tiles, outs, products, start, out, steps);
        }
    }
}

kernel! {
    /// Outputs of products `[place][out][tile]`, whose places are so far apart.
    pub fn transform_products(
        sizes: &Winograd,
        tiles: Tiles,
        outs: usize,
        products: (&[f32], usize),
        start: Start<'_>,
        out: &mut [f32],
        steps: (usize, usize),
    ) = transform_products_in
}

#[inline(always)]
fn transform_products_in<V: Lanes>(
    sizes: &Winograd,
    tiles: Tiles,
    outs: usize,
    products: (&[f32], usize),
    start: Start<'_>,
    out: &mut [f32],
    steps: (usize, usize),
) {
    match sizes.tile {
        Tile::Two => products_by::<V, Two>(sizes, tiles, outs, products, start, out, steps),
        Tile::Four => products_by::<V, Four>(sizes, tiles, outs, products, start, out, steps),
    }
}

#[inline(always)]
fn products_by<V: Lanes, S: Scheme>(
    sizes: &Winograd,
    tiles: Tiles,
    outs: usize,
    (products, place_step): (&[f32], usize),
    start: Start<'_>,
    out: &mut [f32],
    (out_step, row_out_step): (usize, usize),
) {
    let last_place = (S::PIXELS * S::PIXELS - 1) * place_step;
    assert!(products.len() >= last_place + outs * tiles.count * V::N);
    for o in 0..outs {
        let bias = match start {
            Start::Bias(bias) => V::splat(bias[o]),
            Start::Zero | Start::Out => V::splat(0.0),
        };
        for tile in 0..tiles.count {
            let from = (o * tiles.count + tile) * V::N;
            let mut half = [[V::splat(0.0); MAX_PIXELS]; MAX_OUTPUTS];
            for c in 0..S::PIXELS {
                let mut line = [V::splat(0.0); MAX_PIXELS];
                for r in 0..S::PIXELS {
                    let from = (r * S::PIXELS + c) * place_step + from;
                    // SAFETY: it is the place of an out and tile that there are, and the length
                    // was asserted.
                    line[r] = unsafe { V::load(products.as_ptr().add(from)) };
                }
                let line = S::outputs(line);
                for r in 0..S::OUTPUTS {
                    half[r][c] = line[r];
                }
            }
            let at = tiles.at::<S>(&sizes.grid, tile);
            let from = o * out_step + (at.row - tiles.rows.0) * row_out_step + at.column * V::N;
            let out = &mut out[from..];
            assert!((at.rows - 1) * row_out_step + at.columns * V::N <= out.len());
            let out = out.as_mut_ptr();
            for r in 0..S::OUTPUTS {
                let line = S::outputs(half[r]);
                for c in 0..S::OUTPUTS {
                    if r < at.rows && c < at.columns {
                        // SAFETY: the tile's last output lies inside, as asserted.
                        unsafe {
                            let out = out.add(r * row_out_step + c * V::N);
                            let before = match start {
                                Start::Out => V::load(out),
                                _ => bias,
                            };
                            before.add(line[c]).store(out);
                        }
                    }
                }
            }
        }
    }
}
