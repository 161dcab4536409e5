//! The gradient of a convolution's weights (backward-weights): for each tap, the sum over
//! all pixels of what the tap saw times the gradient of what it added to.

use super::lanes::{Isa, Lanes, Loop, kernel};
use super::{assert_inside, last};

/// Extents and steps of a convolution and of the gradient of its output. Steps count f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlate {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: usize,
    /// Rows and columns of the output.
    pub rows: usize,
    pub columns: usize,
    /// Steps in `x`: between channels, rows of the input, neighbouring pixels, and a
    /// convolution's stride in pixels.
    pub x_channel: usize,
    pub x_row: usize,
    pub x_pixel: usize,
    pub stride: usize,
    /// Steps in `dz`, the gradient of the output.
    pub dz_channel: usize,
    pub dz_row: usize,
    pub dz_column: usize,
}

/// Bytes of `dz` that are worked on together: half of a first-level cache, the rest is for `x`.
const BAND: usize = 24 << 10;
/// The longest run of taps and of output channels that [`run_tile`] is compiled for.
const MAX_TAPS: usize = 7;
const MAX_OUTS: usize = 8;
/// The most rows of taps, and the longest of them, that [`run_rows`] is compiled for.
const MAX_ROWS: usize = 5;

/// Whether a tile's accumulators and the operands of its shorter side fit into the registers.
const fn fits(registers: usize, outs: usize, taps: usize) -> bool {
    let smaller = if outs < taps { outs } else { taps };
    outs * taps + smaller < registers
}

impl Correlate {
    /// How many values of scratch space [`correlate`] needs.
    pub fn scratch(&self, isa: Isa) -> usize {
        self.in_channels * self.kernel_size * self.kernel_size * MAX_OUTS * isa.lanes()
    }

    /// Whether neighbouring columns of the output belong to neighbouring pixels of `x` and `dz`.
    #[inline(always)]
    pub(super) fn is_near(&self, lanes: usize) -> bool {
        self.stride == 1 && self.x_pixel == lanes && self.dz_column == lanes
    }

    pub(super) fn check(&self, lanes: usize, x: &[f32], dz: &[f32], dw: (&[f32], usize)) {
        let area = self.kernel_size.saturating_mul(self.kernel_size);
        let taps = self.in_channels.saturating_mul(area);
        let side = |outputs: usize| last(outputs, self.stride).saturating_add(self.kernel_size);
        let channels = last(self.in_channels, self.x_channel);
        let rows = last(side(self.rows), self.x_row);
        let columns = last(side(self.columns), self.x_pixel);
        assert_inside(&[channels, rows, columns], lanes, x.len());
        let channels = last(self.out_channels, self.dz_channel);
        let rows = last(self.rows, self.dz_row);
        let columns = last(self.columns, self.dz_column);
        assert_inside(&[channels, rows, columns], lanes, dz.len());
        let (dw, dw_step) = dw;
        assert_inside(&[last(taps, dw_step)], self.out_channels, dw.len());
    }
}

kernel! {
    /// Overwrites `dw` `[in_channels, kernel row, kernel column, out_channels]`, whose rows are
    /// `dw_step` values apart, with the sum over rows, columns and lanes of `x` times `dz`.
    ///
    /// Panics when a slice is too short.
    pub fn correlate(
        sizes: &Correlate,
        x: &[f32],
        dz: &[f32],
        dw: &mut [f32],
        dw_step: usize,
        scratch: &mut [f32],
    ) = correlate_in
}

#[inline(always)]
fn correlate_in<V: Lanes>(
    sizes: &Correlate,
    x: &[f32],
    dz: &[f32],
    dw: &mut [f32],
    dw_step: usize,
    scratch: &mut [f32],
) {
    sizes.check(V::N, x, dz, (dw, dw_step));
    let k = sizes.kernel_size;
    let taps = sizes.in_channels.saturating_mul(k.saturating_mul(k));
    let sums = MAX_OUTS * V::N;
    assert_inside(&[last(taps, sums)], sums, scratch.len());
    // A row of sums, an operand of each side.
    let tap_tiles = k.div_ceil(MAX_TAPS.min(V::REGISTERS - 2));
    let widest = k.div_ceil(tap_tiles);
    let most = (1..=MAX_OUTS)
        .rev()
        .find(|&outs| fits(V::REGISTERS, outs, widest));
    let out_tiles = sizes.out_channels.div_ceil(most.unwrap_or(1));
    let mut first_out = 0;
    for out_tile in 0..out_tiles {
        let outs = (sizes.out_channels - first_out).div_ceil(out_tiles - out_tile);
        let row_bytes = outs * sizes.columns * V::N * 4;
        let band = (BAND / row_bytes).clamp(1, sizes.rows);
        let mut row = 0;
        while row < sizes.rows {
            let rows = band.min(sizes.rows - row);
            for channel in 0..sizes.in_channels {
                let mut ky = 0;
                while ky < k {
                    // Of a single output channel one row of taps is too few sums to keep the
                    // multipliers busy: each waits for the one before.
                    let tap_rows = if outs == 1 {
                        rows_together(V::REGISTERS, widest).min(k - ky)
                    } else {
                        1
                    };
                    let mut kx = 0;
                    for tap_tile in 0..tap_tiles {
                        let taps = (k - kx).div_ceil(tap_tiles - tap_tile);
                        let tap = (channel * k + ky) * k + kx;
                        // SAFETY: `check` has bounded the largest offsets; the tile ends with the
                        // last row, column, out channel and tap at most.
                        unsafe {
                            let tile = WeightsTile {
                                sizes,
                                rows,
                                x: x.as_ptr().add(
                                    channel * sizes.x_channel
                                        + (row * sizes.stride + ky) * sizes.x_row
                                        + kx * sizes.x_pixel,
                                ),
                                dz: dz
                                    .as_ptr()
                                    .add(first_out * sizes.dz_channel + row * sizes.dz_row),
                                sums: scratch.as_mut_ptr().add(tap * MAX_OUTS * V::N),
                                first: row == 0,
                            };
                            if tap_rows > 1 {
                                run_any_rows::<V>(tile, tap_rows, taps);
                            } else {
                                run_any::<V>(tile, outs, taps);
                            }
                        }
                        kx += taps;
                    }
                    ky += tap_rows;
                }
            }
            row += rows;
        }
        for tap in 0..sizes.in_channels * k * k {
            for out in 0..outs {
                let sum = V::read(&scratch[(tap * MAX_OUTS + out) * V::N..]);
                dw[tap * dw_step + first_out + out] = sum.sum();
            }
        }
        first_out += outs;
    }
}

/// How many rows of so many taps a tile of one output channel takes: their sums, the gradient and one
/// pixel fit into the registers.
fn rows_together(registers: usize, taps: usize) -> usize {
    if taps > MAX_ROWS {
        return 1;
    }
    ((registers - 2) / taps).clamp(1, taps)
}

/// What a tile is computed from: `x` and `dz` point to its first pixel, `sums` to `MAX_OUTS`
/// registers for each tap.
#[derive(Clone, Copy)]
struct WeightsTile<'a> {
    sizes: &'a Correlate,
    rows: usize,
    x: *const f32,
    dz: *const f32,
    sums: *mut f32,
    /// Whether the sums start here.
    first: bool,
}

/// Calls [`run_tile`] compiled for this many out channels and taps.
///
/// # Safety
/// As for [`run_tile`].
#[inline(always)]
unsafe fn run_any<V: Lanes>(tile: WeightsTile<'_>, outs: usize, taps: usize) {
    macro_rules! sizes {
        ($($o:literal: $($t:literal)*;)*) => {
            match (outs, taps) {
                $($(($o, $t) if const { fits(V::REGISTERS, $o, $t) } =>
                    // SAFETY: the caller's promise, and the kernel runs on these registers.
                    unsafe { V::run(TapsTile::<'_, $o, $t>(tile)) },)*)*
                _ => unreachable!("`correlate` chooses tiles that fit"),
            }
        };
    }
    sizes! {
        1: 1 2 3 4 5 6 7;
        2: 1 2 3 4 5 6 7;
        3: 1 2 3 4 5 6 7;
        4: 1 2 3 4 5 6;
        5: 1 2 3 4 5;
        6: 1 2 3 4;
        7: 1 2 3;
        8: 1 2 3;
    }
}

/// A tile of certain sides.
struct TapsTile<'a, const O: usize, const T: usize>(WeightsTile<'a>);

impl<const O: usize, const T: usize> Loop for TapsTile<'_, O, T> {
    /// # Safety
    /// As for [`run_tile`].
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { run_tile::<V, O, T>(self.0) }
    }
}

/// Adds up one tile of `O` out channels by `T` neighbouring taps of one kernel row.
///
/// # Safety
/// From `tile.x`, `tile.dz` and `tile.sums`, everything that `O`, `T` and the sizes reach can be
/// read, or written.
#[inline(always)]
unsafe fn run_tile<V: Lanes, const O: usize, const T: usize>(tile: WeightsTile<'_>) {
    let sizes = tile.sizes;
    let mut sums = [[V::splat(0.0); T]; O];
    if !tile.first {
        for t in 0..T {
            for o in 0..O {
                // SAFETY: the caller's promise; so for all below.
                sums[o][t] = unsafe { V::load(tile.sums.add((t * MAX_OUTS + o) * V::N)) };
            }
        }
    }
    for row in 0..tile.rows {
        let mut x = unsafe { tile.x.add(row * sizes.stride * sizes.x_row) };
        let mut dz = unsafe { tile.dz.add(row * sizes.dz_row) };
        for _ in 0..sizes.columns {
            if O <= T {
                let mut gradients = [V::splat(0.0); O];
                for o in 0..O {
                    gradients[o] = unsafe { V::load(dz.add(o * sizes.dz_channel)) };
                }
                for t in 0..T {
                    let pixel = unsafe { V::load(x.add(t * sizes.x_pixel)) };
                    for o in 0..O {
                        sums[o][t] = pixel.mul_add(gradients[o], sums[o][t]);
                    }
                }
            } else {
                let mut pixels = [V::splat(0.0); T];
                for t in 0..T {
                    pixels[t] = unsafe { V::load(x.add(t * sizes.x_pixel)) };
                }
                for o in 0..O {
                    let gradient = unsafe { V::load(dz.add(o * sizes.dz_channel)) };
                    for t in 0..T {
                        sums[o][t] = pixels[t].mul_add(gradient, sums[o][t]);
                    }
                }
            }
            x = x.wrapping_add(sizes.stride * sizes.x_pixel);
            dz = dz.wrapping_add(sizes.dz_column);
        }
    }
    for t in 0..T {
        for o in 0..O {
            unsafe { sums[o][t].store(tile.sums.add((t * MAX_OUTS + o) * V::N)) };
        }
    }
}

/// Calls [`run_rows`] compiled for this many rows and taps.
///
/// # Safety
/// As for [`run_rows`].
#[inline(always)]
unsafe fn run_any_rows<V: Lanes>(tile: WeightsTile<'_>, rows: usize, taps: usize) {
    macro_rules! sizes {
        ($($r:literal: $($t:literal)*;)*) => {
            match (rows, taps) {
                $($(($r, $t) if const { $r * $t + 2 <= V::REGISTERS } =>
                    // SAFETY: the caller's promise.
                    unsafe {
                        if tile.sizes.is_near(V::N) {
                            run_rows::<V, $r, $t, true>(tile)
                        } else {
                            run_rows::<V, $r, $t, false>(tile)
                        }
                    },)*)*
                _ => unreachable!("`rows_together` chooses tiles that fit"),
            }
        };
    }
    sizes! {
        2: 2 3 4 5;
        3: 2 3 4 5;
        4: 2 3 4 5;
        5: 2 3 4 5;
    }
}

/// Adds up one tile of a single out channel: `R` neighbouring rows of `T` neighbouring taps. With
/// `NEAR`, neighbouring columns are neighbours in `x` and in `dz`.
///
/// # Safety
/// As for [`run_tile`], where the kernel has `R` rows from the tile's first one on.
#[inline(always)]
unsafe fn run_rows<V: Lanes, const R: usize, const T: usize, const NEAR: bool>(
    tile: WeightsTile<'_>,
) {
    let sizes = tile.sizes;
    let of = |r: usize, t: usize| (r * sizes.kernel_size + t) * MAX_OUTS * V::N;
    let mut sums = [[V::splat(0.0); T]; R];
    if !tile.first {
        for r in 0..R {
            for t in 0..T {
                // SAFETY: the caller's promise; so for all below.
                sums[r][t] = unsafe { V::load(tile.sums.add(of(r, t))) };
            }
        }
    }
    for row in 0..tile.rows {
        let mut x = unsafe { tile.x.add(row * sizes.stride * sizes.x_row) };
        let mut dz = unsafe { tile.dz.add(row * sizes.dz_row) };
        if NEAR && const { R * T + T + 3 <= V::REGISTERS } {
            // Neighbouring columns see the same pixels, which the compiler loads once for both, if there
            // are registers for them.
            for _ in 0..sizes.columns / 2 {
                unsafe { add_columns::<V, R, T, 2>(sizes.x_row, x, dz, V::N, &mut sums) };
                x = x.wrapping_add(2 * V::N);
                dz = dz.wrapping_add(2 * V::N);
            }
            if sizes.columns % 2 == 1 {
                unsafe { add_columns::<V, R, T, 1>(sizes.x_row, x, dz, V::N, &mut sums) };
            }
        } else {
            for _ in 0..sizes.columns {
                unsafe { add_columns::<V, R, T, 1>(sizes.x_row, x, dz, sizes.x_pixel, &mut sums) };
                x = x.wrapping_add(sizes.stride * sizes.x_pixel);
                dz = dz.wrapping_add(sizes.dz_column);
            }
        }
    }
    for r in 0..R {
        for t in 0..T {
            unsafe { sums[r][t].store(tile.sums.add(of(r, t))) };
        }
    }
}

/// Adds what `C` neighbouring columns contribute, which are neighbours in memory if there are several.
///
/// # Safety
/// From `x` and `dz`, the columns' pixels and gradients can be read.
#[inline(always)]
unsafe fn add_columns<V: Lanes, const R: usize, const T: usize, const C: usize>(
    x_row: usize,
    x: *const f32,
    dz: *const f32,
    x_pixel: usize,
    sums: &mut [[V; T]; R],
) {
    for c in 0..C {
        // SAFETY: the caller's promise; so for all below.
        let gradient = unsafe { V::load(dz.add(c * V::N)) };
        for r in 0..R {
            for t in 0..T {
                let pixel = unsafe { V::load(x.add(r * x_row + (c + t) * x_pixel)) };
                sums[r][t] = pixel.mul_add(gradient, sums[r][t]);
            }
        }
    }
}
