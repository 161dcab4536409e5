//! Sums of products over shifted rows: the forward pass of convolutions and linear layers, and
//! the gradient of their inputs (backward-data).
//!
//! With one image a lane, a convolution needs no patch matrix: a tile of outputs (some channels by
//! some neighbouring pixels) stays in registers while every tap (input channel, kernel row, kernel
//! column) adds its weight times the pixels it sees. A linear layer is the same with features for
//! taps and blocks of images for pixels.

use std::ops::Range;

use super::lanes::{Isa, Lanes, Loop, kernel, prefetch};
use super::product_form::{Product, Start};
use super::slide;

/// Whether the accumulators of a tile, one side's operands and one more fit into the registers.
const fn fits(registers: usize, outs: usize, columns: usize) -> bool {
    let smaller = if outs < columns { outs } else { columns };
    outs * columns + smaller < registers
}

/// The largest tile sides that [`run_strip`] is compiled for.
const MAX_SIDE: usize = 14;

impl Product {
    /// Chooses the tile for an instruction set; the other fields are taken as they are.
    #[must_use]
    pub fn tiled(mut self, isa: Isa) -> Self {
        let registers = isa.registers();
        if let Some(taps) = slide::taps(&self, isa.lanes()) {
            self.tile = (1, slide::widest(registers, taps));
            return self;
        }
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
    if let Some(taps) = slide::taps(product, V::N) {
        // SAFETY: `check` has bounded everything that the rows reach.
        return unsafe { slide::any::<V>(product, taps, w, start, x, rows, out) };
    }
    let out_pointer = out.as_mut_ptr();
    let is_dense = product.column_x_step == V::N && product.column_out_step == V::N;
    let out_tiles = product.outs.div_ceil(product.tile.0);
    let column_tiles = product.columns.div_ceil(product.tile.1);
    let mut first_out = 0;
    for out_tile in 0..out_tiles {
        let outs = (product.outs - first_out).div_ceil(out_tiles - out_tile);
        let start = match start {
            Start::Bias(bias) => Start::Bias(&bias[first_out..first_out + outs]),
            other => other,
        };
        let mut first_column = 0;
        for column_tile in 0..column_tiles {
            let columns = (product.columns - first_column).div_ceil(column_tiles - column_tile);
            let out = first_out * product.out_step + first_column * product.column_out_step;
            let strip = Strip {
                product,
                start,
                rows: rows.clone(),
                // These lie inside unless there is nothing to read or write.
                w: w.as_ptr().wrapping_add(first_out * product.out_w_step),
                x: x.as_ptr()
                    .wrapping_add(first_column * product.column_x_step),
                out: out_pointer.wrapping_add(out),
            };
            // SAFETY: `check` has bounded the largest offsets, and these are not larger: the strip
            // ends with the last out and column at most.
            unsafe {
                match (product.out_w_step, is_dense) {
                    (1, true) => run_any::<V, true, true>(strip, outs, columns),
                    (1, false) => run_any::<V, true, false>(strip, outs, columns),
                    _ => run_any::<V, false, false>(strip, outs, columns),
                }
            }
            first_column += columns;
        }
        first_out += outs;
    }
}

/// Calls `run_strip` compiled for this tile's sides.
///
/// # Safety
/// As for [`run_strip`].
#[inline(always)]
unsafe fn run_any<V: Lanes, const NEAR: bool, const DENSE: bool>(
    strip: Strip<'_>,
    outs: usize,
    columns: usize,
) {
    macro_rules! sizes {
        ($($o:literal: $($c:literal)*;)*) => {
            match (outs, columns) {
                $($(($o, $c) if const { fits(V::REGISTERS, $o, $c) } =>
                    // SAFETY: the caller's promise, and the kernel runs on these registers.
                    unsafe { V::run(TileStrip::<'_, $o, $c, NEAR, DENSE>(strip)) },)*)*
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

/// How many taps ahead a product that reads everything once asks for what it will read.
const AHEAD: usize = 20;
/// Bytes that a near cache has not.
const FAR: usize = 1 << 20;

/// Neighbouring outs and columns of all rows. `w`, `x` and `out` point to the first tap, input and
/// output of the first of them.
struct Strip<'a> {
    product: &'a Product,
    start: Start<'a>,
    rows: Range<usize>,
    w: *const f32,
    x: *const f32,
    out: *mut f32,
}

/// A strip of a certain tile.
struct TileStrip<'a, const O: usize, const C: usize, const NEAR: bool, const DENSE: bool>(
    Strip<'a>,
);

impl<const O: usize, const C: usize, const NEAR: bool, const DENSE: bool> Loop
    for TileStrip<'_, O, C, NEAR, DENSE>
{
    /// # Safety
    /// As for [`run_strip`].
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { run_strip::<V, O, C, NEAR, DENSE>(self.0) }
    }
}

/// Computes a strip of `O` outs by `C` columns, a tile for each row. With `NEAR` the weights of
/// neighbouring outs are neighbours, with `DENSE` neighbouring columns in `x` and in `out`.
///
/// # Safety
/// From the strip's pointers, everything that `O`, `C` and the product's counts and steps reach can
/// be read, or written; the bias has `O` values.
#[inline(always)]
unsafe fn run_strip<
    V: Lanes,
    const O: usize,
    const C: usize,
    const NEAR: bool,
    const DENSE: bool,
>(
    strip: Strip<'_>,
) {
    let Product {
        taps,
        out_step,
        row_out_step,
        row_stride,
        ..
    } = *strip.product;
    // Known when the tile is compiled, steps cost nothing.
    let out_w_step = if NEAR { 1 } else { strip.product.out_w_step };
    let (column_x_step, column_out_step) = if DENSE {
        (V::N, V::N)
    } else {
        (strip.product.column_x_step, strip.product.column_out_step)
    };
    // A linear layer of a single image reads a row of weights for each input, and each of them once:
    // they come from a far cache, sooner when they are asked for early.
    let streams = O == 1
        && DENSE
        && taps[2].x_step >= C * V::N
        && taps[2].count * taps[2].x_step * size_of::<f32>() > FAR;
    for (index, row) in strip.rows.enumerate() {
        let middle = strip.product.middle(row);
        // SAFETY: the caller's promise; so for all below.
        let out = unsafe { strip.out.add(index * row_out_step) };
        let mut sums = [[V::splat(0.0); C]; O];
        // Loops this simple are unrolled, and only then do the sums stay in registers throughout.
        match strip.start {
            Start::Zero => {}
            Start::Bias(bias) => {
                for o in 0..O {
                    let bias = V::splat(unsafe { *bias.as_ptr().add(o) });
                    for c in 0..C {
                        sums[o][c] = bias;
                    }
                }
            }
            Start::Out => {
                for o in 0..O {
                    for c in 0..C {
                        let out = unsafe { out.add(o * out_step + c * column_out_step) };
                        sums[o][c] = unsafe { V::load(out) };
                    }
                }
            }
        }
        for outer in 0..taps[0].count {
            for ky in middle.clone() {
                let w = outer * taps[0].w_step + ky * taps[1].w_step;
                let x = outer * taps[0].x_step + (row * row_stride + ky) * taps[1].x_step;
                let mut w = unsafe { strip.w.add(w) };
                let mut x = unsafe { strip.x.add(x) };
                for _ in 0..taps[2].count {
                    if streams {
                        for c in 0..C {
                            prefetch(x.wrapping_add(AHEAD * taps[2].x_step + c * V::N));
                        }
                    }
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
                    sums[o][c].store(out.add(o * out_step + c * column_out_step));
                }
            }
        }
    }
}
