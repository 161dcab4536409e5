//! The gradient of a convolution's weights (backward-weights) by the way back through the forward
//! transforms: at each place, the sum over all tiles and images of a transformed pixel times a
//! transformed gradient. That is the product of two matrices, whose sums should not be across the lanes
//! of a register; so the gradients are turned first, with output channels in the lanes.

use super::scheme::{Four, KERNEL, MAX_OUTPUTS, MAX_PIXELS, Scheme, Tile, Two};
use super::tiles::{Grid, Tiles, place_step, together, transform_pixels};
use crate::kernels::correlate::Correlate;
use crate::kernels::lanes::{Isa, Lanes, kernel};
use crate::kernels::product::product;
use crate::kernels::product_form::{Product, Start, Taps};

/// The backward-weights pass of a convolution with a 3x3 kernel and stride 1.
#[derive(Debug, Clone, PartialEq)]
pub struct WinogradWeights {
    tile: Tile,
    grid: Grid,
    sizes: Correlate,
    /// The outs, to whole registers.
    padded: usize,
    /// Tiles, and outs, that are worked on together.
    tiles: usize,
    block: usize,
    /// The sum over images at one place, for 1, 2, ... tiles.
    products: Vec<Product>,
}

impl WinogradWeights {
    /// The same as [`correlate`](crate::kernels::correlate()) of these sizes.
    ///
    /// Panics unless the kernel is 3x3, the stride 1, and neighbouring pixels and gradients neighbours.
    pub fn new(isa: Isa, tile: Tile, sizes: &Correlate) -> Self {
        let lanes = isa.lanes();
        assert!(sizes.kernel_size == KERNEL && sizes.is_near(lanes));
        let grid = Grid {
            ins: sizes.in_channels,
            rows: sizes.rows,
            columns: sizes.columns,
            x_channel: sizes.x_channel,
            x_row: sizes.x_row,
        };
        let padded = sizes.out_channels.next_multiple_of(lanes);
        let each = tile.places() * lanes * size_of::<f32>();
        let tiles = together(grid.tiles(tile, sizes.rows), each * grid.ins);
        let block = together(padded / lanes, each * tiles * lanes) * lanes;
        let product = |tiles: usize| {
            let taps = Taps {
                count: tiles * lanes,
                x_step: block,
                w_step: 1,
            };
            let product = Product {
                out_step: padded,
                out_w_step: tiles * lanes,
                column_x_step: lanes,
                column_out_step: lanes,
                ..Product::new(grid.ins, block / lanes, [Taps::ONE, Taps::ONE, taps])
            };
            product.tiled(isa)
        };
        Self {
            tile,
            sizes: sizes.clone(),
            padded,
            tiles,
            block,
            products: (1..=tiles).map(product).collect(),
            grid,
        }
    }

    /// How many values of scratch space [`winograd_backward_weights`] needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        let places = self.tile.places();
        places * (self.pixels_step(isa) + self.gradients_step(isa) + self.sums_step())
            + self.turned(isa)
    }

    fn pixels_step(&self, isa: Isa) -> usize {
        place_step(self.grid.ins * self.tiles * isa.lanes())
    }

    fn gradients_step(&self, isa: Isa) -> usize {
        place_step(self.tiles * isa.lanes() * self.block)
    }

    fn sums_step(&self) -> usize {
        place_step(self.grid.ins * self.padded)
    }

    /// Values of a tile's gradients turned, of as many outs as a register has lanes.
    fn turned(&self, isa: Isa) -> usize {
        self.tile.outputs().pow(2) * isa.lanes().pow(2)
    }
}

/// Overwrites `dw` `[in_channels, kernel row, kernel column, out_channels]`, whose rows are `dw_step`
/// values apart, with the sum over rows, columns and lanes of `x` times `dz`.
///
/// Panics when a slice is too short.
pub fn winograd_backward_weights(
    isa: Isa,
    sizes: &WinogradWeights,
    x: &[f32],
    dz: &[f32],
    dw: &mut [f32],
    dw_step: usize,
    scratch: &mut [f32],
) {
    let lanes = isa.lanes();
    sizes.sizes.check(lanes, x, dz, (dw, dw_step));
    let places = sizes.tile.places();
    let (pixels_step, gradients_step) = (sizes.pixels_step(isa), sizes.gradients_step(isa));
    let sums_step = sizes.sums_step();
    let (pixels, rest) = scratch.split_at_mut(places * pixels_step);
    let (gradients, rest) = rest.split_at_mut(places * gradients_step);
    let (sums, turned) = rest.split_at_mut(places * sums_step);
    let rows = (0, sizes.grid.rows);
    let all = sizes.grid.tiles(sizes.tile, sizes.grid.rows);
    for first in (0..all).step_by(sizes.tiles) {
        let count = sizes.tiles.min(all - first);
        let tiles = Tiles { first, count, rows };
        transform_pixels(isa, sizes.tile, &sizes.grid, tiles, x, pixels, pixels_step);
        for out in (0..sizes.padded).step_by(sizes.block) {
            let block = sizes.block.min(sizes.padded - out);
            transform_gradients(
                isa,
                sizes,
                tiles,
                dz,
                (out, block),
                gradients,
                gradients_step,
                turned,
            );
            let place_product = Product {
                columns: block / lanes,
                ..sizes.products[count - 1].clone()
            };
            let start = if first == 0 { Start::Zero } else { Start::Out };
            for place in 0..places {
                product(
                    isa,
                    &place_product,
                    &pixels[place * pixels_step..],
                    start,
                    &gradients[place * gradients_step..],
                    0..1,
                    &mut sums[place * sums_step..][out..],
                );
            }
        }
    }
    transform_sums(isa, sizes, sums, sums_step, dw, dw_step);
}

kernel! {
    /// Transforms the gradients of some outs, the first and how many, to `[place][tile][lane][out]`.
    pub fn transform_gradients(
        sizes: &WinogradWeights,
        tiles: Tiles,
        dz: &[f32],
        outs: (usize, usize),
        gradients: &mut [f32],
        place_step: usize,
        turned: &mut [f32],
    ) = transform_gradients_in
}

#[inline(always)]
fn transform_gradients_in<V: Lanes>(
    sizes: &WinogradWeights,
    tiles: Tiles,
    dz: &[f32],
    outs: (usize, usize),
    gradients: &mut [f32],
    place_step: usize,
    turned: &mut [f32],
) {
    match sizes.tile {
        Tile::Two => gradients_by::<V, Two>(sizes, tiles, dz, outs, gradients, place_step, turned),
        Tile::Four => {
            gradients_by::<V, Four>(sizes, tiles, dz, outs, gradients, place_step, turned);
        }
    }
}

#[inline(always)]
fn gradients_by<V: Lanes, S: Scheme>(
    sizes: &WinogradWeights,
    tiles: Tiles,
    dz: &[f32],
    (first, outs): (usize, usize),
    gradients: &mut [f32],
    place_step: usize,
    turned: &mut [f32],
) {
    let Correlate {
        out_channels,
        dz_channel,
        dz_row,
        ..
    } = sizes.sizes;
    let area = V::N * V::N;
    assert!(turned.len() >= S::OUTPUTS * S::OUTPUTS * area);
    let last_place = (S::PIXELS * S::PIXELS - 1) * place_step;
    assert!(gradients.len() >= last_place + tiles.count * V::N * sizes.block);
    for tile in 0..tiles.count {
        let at = tiles.at::<S>(&sizes.grid, tile);
        for out in (0..outs).step_by(V::N) {
            let channels = V::N.min(out_channels - first - out);
            let from = (first + out) * dz_channel + at.row * dz_row + at.column * V::N;
            let dz = &dz[from..];
            for r in 0..at.rows {
                for c in 0..at.columns {
                    let dz = &dz[r * dz_row + c * V::N..];
                    let to = &mut turned[(r * S::OUTPUTS + c) * area..][..area];
                    turn::<V>(dz, dz_channel, channels, to);
                }
            }
            for lane in 0..V::N {
                let mut y = [[V::splat(0.0); MAX_OUTPUTS]; MAX_OUTPUTS];
                for r in 0..S::OUTPUTS {
                    for c in 0..S::OUTPUTS {
                        if r < at.rows && c < at.columns {
                            let from = (r * S::OUTPUTS + c) * area + lane * V::N;
                            // SAFETY: a register of `turned`, whose length was asserted.
                            y[r][c] = unsafe { V::load(turned.as_ptr().add(from)) };
                        }
                    }
                }
                let mut half = [[V::splat(0.0); MAX_PIXELS]; MAX_OUTPUTS];
                for r in 0..S::OUTPUTS {
                    half[r] = S::gradients(y[r]);
                }
                let to = (tile * V::N + lane) * sizes.block + out;
                for c in 0..S::PIXELS {
                    let mut line = [V::splat(0.0); MAX_OUTPUTS];
                    for r in 0..S::OUTPUTS {
                        line[r] = half[r][c];
                    }
                    let line = S::gradients(line);
                    for r in 0..S::PIXELS {
                        let to = (r * S::PIXELS + c) * place_step + to;
                        // SAFETY: it is the place of a tile, lane and out that there are, and the
                        // length was asserted.
                        unsafe { line[r].store(gradients.as_mut_ptr().add(to)) };
                    }
                }
            }
        }
    }
}

/// The transpose of `channels` registers, `step` values apart, followed by zeros.
#[inline(always)]
fn turn<V: Lanes>(from: &[f32], step: usize, channels: usize, to: &mut [f32]) {
    assert!((channels - 1) * step + V::N <= from.len() && V::N * V::N <= to.len());
    if channels == V::N {
        // SAFETY: as asserted.
        return unsafe { V::transpose(from.as_ptr(), step, to.as_mut_ptr(), V::N) };
    }
    for (lane, to) in to.chunks_exact_mut(V::N).enumerate() {
        to.fill(0.0);
        for channel in 0..channels {
            to[channel] = from[channel * step + lane];
        }
    }
}

kernel! {
    /// From sums `[place][in][out]` to the gradients of the weights.
    pub fn transform_sums(
        sizes: &WinogradWeights,
        sums: &[f32],
        place_step: usize,
        dw: &mut [f32],
        dw_step: usize,
    ) = transform_sums_in
}

#[inline(always)]
fn transform_sums_in<V: Lanes>(
    sizes: &WinogradWeights,
    sums: &[f32],
    place_step: usize,
    dw: &mut [f32],
    dw_step: usize,
) {
    match sizes.tile {
        Tile::Two => sums_by::<V, Two>(sizes, sums, place_step, dw, dw_step),
        Tile::Four => sums_by::<V, Four>(sizes, sums, place_step, dw, dw_step),
    }
}

#[inline(always)]
fn sums_by<V: Lanes, S: Scheme>(
    sizes: &WinogradWeights,
    sums: &[f32],
    place_step: usize,
    dw: &mut [f32],
    dw_step: usize,
) {
    for input in 0..sizes.grid.ins {
        let dw = &mut dw[input * KERNEL * KERNEL * dw_step..];
        for first in (0..sizes.sizes.out_channels).step_by(V::N) {
            let outs = V::N.min(sizes.sizes.out_channels - first);
            let from = input * sizes.padded + first;
            let mut half = [[V::splat(0.0); MAX_PIXELS]; KERNEL];
            for c in 0..S::PIXELS {
                let mut line = [V::splat(0.0); MAX_PIXELS];
                for r in 0..S::PIXELS {
                    line[r] = V::read(&sums[(r * S::PIXELS + c) * place_step + from..]);
                }
                let line = S::weight_gradients(line);
                for r in 0..KERNEL {
                    half[r][c] = line[r];
                }
            }
            for r in 0..KERNEL {
                let line = S::weight_gradients(half[r]);
                for c in 0..KERNEL {
                    let to = (r * KERNEL + c) * dw_step + first;
                    line[c].write_some(&mut dw[to..][..outs]);
                }
            }
        }
    }
}
