//! Sums of products over shifted rows: the forward pass of convolutions and linear layers, and
//! the gradient of their inputs (backward-data).
//!
//! With one image a lane, a convolution needs no patch matrix: a tile of outputs (some channels by
//! some neighbouring pixels) stays in registers while every tap (input channel, kernel row, kernel
//! column) adds its weight times the pixels it sees. A linear layer is the same with features for
//! taps and blocks of images for pixels.

use std::ops::Range;

use super::lanes::{Isa, Lanes, kernel};
use super::{assert_inside, last};

/// One dimension of the taps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taps {
    pub count: usize,
    /// How far apart neighbouring taps' inputs and weights are.
    pub x_step: usize,
    pub w_step: usize,
}

impl Taps {
    /// A dimension of one.
    pub const ONE: Taps = Taps {
        count: 1,
        x_step: 0,
        w_step: 0,
    };
}

/// `out[o][r][c] = bias[o] + sum over taps t of w[t][o] * x[t][r][c]`, each of them a register of
/// images: its extents and steps, which count f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    pub outs: usize,
    pub out_step: usize,
    /// How far apart the weights of neighbouring outs are.
    pub out_w_step: usize,
    /// Columns of a row, and how far apart they are in `x` and in `out`.
    pub columns: usize,
    pub column_x_step: usize,
    pub column_out_step: usize,
    /// How far apart rows are in `out`, and how many of `x`'s rows lie between them (a
    /// convolution's stride).
    pub row_out_step: usize,
    pub row_stride: usize,
    /// From the outermost to the innermost; the middle one steps through rows of `x`.
    pub taps: [Taps; 3],
    /// The rows of `x` that aren't zeros all over; taps on others are left out.
    pub x_rows: Range<usize>,
    /// How many outs by how many columns at most are computed together; see [`tiled`](Self::tiled).
    pub tile: (usize, usize),
}

/// What the sums start from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    Zero,
    /// One value for each out.
    Bias(&'a [f32]),
    /// What `out` holds already.
    Out,
}

/// Whether the accumulators of a tile, one side's operands and one more fit into the registers.
const fn fits(registers: usize, outs: usize, columns: usize) -> bool {
    let smaller = if outs < columns { outs } else { columns };
    outs * columns + smaller < registers
}

/// The largest tile sides that [`run_tile`] is compiled for.
const MAX_SIDE: usize = 14;

impl Product {
    /// Chooses the tile for an instruction set; the other fields are taken as they are.
    #[must_use]
    pub fn tiled(mut self, isa: Isa) -> Self {
        let registers = registers(isa);
        let mut best = f64::INFINITY;
        for outs in 1..=MAX_SIDE.min(self.outs) {
            for columns in 1..=MAX_SIDE.min(self.columns) {
                if !fits(registers, outs, columns) {
                    continue;
                }
                let tiles = self.outs.div_ceil(outs) * self.columns.div_ceil(columns);
                // The tiles are evened out, so this is the largest.
                let outs = self.outs.div_ceil(self.outs.div_ceil(outs));
                let columns = self.columns.div_ceil(self.columns.div_ceil(columns));
                // Cycles for each tap: two multiply-adds, or two loads, of four cycles' latency.
                let cycles = (outs * columns).max(outs + columns).max(8) as f64 / 2.0;
                // Weights stay in the first-level cache; pixels often come from the second.
                let cost = tiles as f64 * (cycles + 0.5 * columns as f64);
                if cost < best {
                    best = cost;
                    self.tile = (outs, columns);
                }
            }
        }
        self
    }

    /// A product of these sizes with nothing to skip; see the fields.
    pub fn new(outs: usize, columns: usize, taps: [Taps; 3]) -> Self {
        Self {
            outs,
            out_step: 0,
            out_w_step: 1,
            columns,
            column_x_step: 0,
            column_out_step: 0,
            row_out_step: 0,
            row_stride: 1,
            taps,
            x_rows: 0..taps[1].count,
            tile: (1, 1),
        }
    }

    /// The taps of the middle dimension that a row's `x` has anything for.
    #[inline(always)]
    fn middle(&self, row: usize) -> Range<usize> {
        let first = row * self.row_stride;
        let from = self.x_rows.start.saturating_sub(first);
        let to = self.x_rows.end.saturating_sub(first);
        from..to.min(self.taps[1].count)
    }

    /// Panics unless everything that computing `rows` touches lies inside the slices.
    fn check(&self, lanes: usize, w: &[f32], x: &[f32], rows: &Range<usize>, out: &[f32]) {
        let [outer, middle, inner] = self.taps.map(|taps| last(taps.count, taps.w_step));
        let outs = last(self.outs, self.out_w_step);
        assert_inside(&[outer, middle, inner, outs], 1, w.len());
        // The rows' own steps in `x`, and the middle taps', are bounded together by `x_rows`.
        let [outer, _, inner] = self.taps.map(|taps| last(taps.count, taps.x_step));
        let rows_in = last(self.x_rows.end, self.taps[1].x_step);
        let columns = last(self.columns, self.column_x_step);
        assert_inside(&[outer, rows_in, inner, columns], lanes, x.len());
        let outs = last(self.outs, self.out_step);
        let rows_out = last(rows.len(), self.row_out_step);
        let columns = last(self.columns, self.column_out_step);
        assert_inside(&[outs, rows_out, columns], lanes, out.len());
    }
}

fn registers(isa: Isa) -> usize {
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        super::lanes::Kind::Avx512 => super::lanes::x86::Avx512::REGISTERS,
        #[cfg(target_arch = "x86_64")]
        super::lanes::Kind::Avx2 => super::lanes::x86::Avx2::REGISTERS,
        super::lanes::Kind::Portable => super::lanes::Portable::REGISTERS,
    }
}

kernel! {
    /// Computes the given rows of `product`. `out` begins with the first of them, `x` and `w`
    /// with the first tap of row 0.
    ///
    /// Panics when a slice is too short.
    pub fn product(
        product: &Product,
        w: &[f32],
        start: Start<'_>,
        x: &[f32],
        rows: Range<usize>,
        out: &mut [f32],
    ) = product_in
}

#[inline(always)]
fn product_in<V: Lanes>(
    product: &Product,
    w: &[f32],
    start: Start<'_>,
    x: &[f32],
    rows: Range<usize>,
    out: &mut [f32],
) {
    product.check(V::N, w, x, &rows, out);
    let out_tiles = product.outs.div_ceil(product.tile.0);
    let column_tiles = product.columns.div_ceil(product.tile.1);
    let mut first_out = 0;
    for out_tile in 0..out_tiles {
        let outs = (product.outs - first_out).div_ceil(out_tiles - out_tile);
        let start = match start {
            Start::Bias(bias) => Start::Bias(&bias[first_out..first_out + outs]),
            other => other,
        };
        for (index, row) in rows.clone().enumerate() {
            let middle = product.middle(row);
            let skipped = (row * product.row_stride + middle.start) * product.taps[1].x_step;
            let mut first_column = 0;
            for column_tile in 0..column_tiles {
                let columns = (product.columns - first_column).div_ceil(column_tiles - column_tile);
                let tile = OutputTile {
                    product,
                    middle: middle.len(),
                    start,
                    // SAFETY: `check` has bounded the largest offsets, and these are not larger:
                    // the tile ends with the last out and column at most, and `middle` with the
                    // last of `x_rows`.
                    w: unsafe {
                        w.as_ptr().add(
                            middle.start * product.taps[1].w_step + first_out * product.out_w_step,
                        )
                    },
                    // Where no tap is left, nothing is read, and this may lie outside.
                    x: x.as_ptr()
                        .wrapping_add(skipped + first_column * product.column_x_step),
                    out: unsafe {
                        out.as_mut_ptr().add(
                            first_out * product.out_step
                                + index * product.row_out_step
                                + first_column * product.column_out_step,
                        )
                    },
                };
                // SAFETY: as above.
                unsafe {
                    match product.out_w_step {
                        1 => run_any::<V, true>(tile, outs, columns),
                        _ => run_any::<V, false>(tile, outs, columns),
                    }
                }
                first_column += columns;
            }
        }
        first_out += outs;
    }
}

/// Calls `run_tile` compiled for this tile's sides.
///
/// # Safety
/// As for [`run_tile`].
#[inline(always)]
unsafe fn run_any<V: Lanes, const NEAR: bool>(tile: OutputTile<'_>, outs: usize, columns: usize) {
    macro_rules! sizes {
        ($($o:literal: $($c:literal)*;)*) => {
            match (outs, columns) {
                $($(($o, $c) if const { fits(V::REGISTERS, $o, $c) } =>
                    // SAFETY: the caller's promise.
                    unsafe { run_tile::<V, $o, $c, NEAR>(tile) },)*)*
                _ => unreachable!("`tiled` chooses tiles that fit"),
            }
        };
    }
    sizes! {
        1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        3: 1 2 3 4 5 6 7 8 9;
        4: 1 2 3 4 5 6;
        5: 1 2 3 4 5;
        6: 1 2 3 4;
        7: 1 2 3;
        8: 1 2 3;
        9: 1 2 3;
        10: 1 2;
        11: 1 2;
        12: 1 2;
        13: 1 2;
        14: 1 2;
    }
}

/// What a tile is computed from: `w`, `x` and `out` point to its first tap, input and output.
#[derive(Clone, Copy)]
struct OutputTile<'a> {
    product: &'a Product,
    /// How many taps of the middle dimension there are.
    middle: usize,
    start: Start<'a>,
    w: *const f32,
    x: *const f32,
    out: *mut f32,
}

/// Computes one tile of `O` outs by `C` columns. With `NEAR` the weights of neighbouring outs are
/// neighbours.
///
/// # Safety
/// From `tile.w`, `tile.x` and `tile.out`, everything that `O`, `C` and the product's counts and
/// steps reach can be read, or written; the bias has `O` values.
#[inline(always)]
unsafe fn run_tile<V: Lanes, const O: usize, const C: usize, const NEAR: bool>(
    tile: OutputTile<'_>,
) {
    let Product {
        taps,
        column_x_step,
        column_out_step,
        out_step,
        out_w_step,
        ..
    } = *tile.product;
    let out_w_step = if NEAR { 1 } else { out_w_step };
    let mut sums = [[V::splat(0.0); C]; O];
    // Loops this simple are unrolled, and only then do the sums stay in registers throughout.
    match tile.start {
        Start::Zero => {}
        Start::Bias(bias) => {
            for o in 0..O {
                // SAFETY: the caller's promise; so for all below.
                let bias = V::splat(unsafe { *bias.as_ptr().add(o) });
                for c in 0..C {
                    sums[o][c] = bias;
                }
            }
        }
        Start::Out => {
            for o in 0..O {
                for c in 0..C {
                    let out = unsafe { tile.out.add(o * out_step + c * column_out_step) };
                    sums[o][c] = unsafe { V::load(out) };
                }
            }
        }
    }
    for outer in 0..taps[0].count {
        for middle in 0..tile.middle {
            let mut w = unsafe { tile.w.add(outer * taps[0].w_step + middle * taps[1].w_step) };
            let mut x = unsafe { tile.x.add(outer * taps[0].x_step + middle * taps[1].x_step) };
            for _ in 0..taps[2].count {
                if O <= C {
                    let mut weights = [V::splat(0.0); O];
                    for o in 0..O {
                        weights[o] = V::splat(unsafe { *w.add(o * out_w_step) });
                    }
                    for c in 0..C {
                        let pixel = unsafe { V::load(x.add(c * column_x_step)) };
                        for o in 0..O {
                            sums[o][c] = pixel.mul_add(weights[o], sums[o][c]);
                        }
                    }
                } else {
                    let mut pixels = [V::splat(0.0); C];
                    for c in 0..C {
                        pixels[c] = unsafe { V::load(x.add(c * column_x_step)) };
                    }
                    for o in 0..O {
                        let weight = V::splat(unsafe { *w.add(o * out_w_step) });
                        for c in 0..C {
                            sums[o][c] = pixels[c].mul_add(weight, sums[o][c]);
                        }
                    }
                }
                w = w.wrapping_add(taps[2].w_step);
                x = x.wrapping_add(taps[2].x_step);
            }
        }
    }
    for o in 0..O {
        for c in 0..C {
            unsafe {
                sums[o][c].store(tile.out.add(o * out_step + c * column_out_step));
            }
        }
    }
}
