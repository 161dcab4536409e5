//! The products of a single out whose neighbouring columns see the same pixels, one tap further on: a
//! depthwise convolution is one of them for each channel, forward and backward-data.
//!
//! There are few multiply-adds for each pixel, so what [`product`](super::product) spends on a tile of a
//! row would take longer than its sums. Here a run of columns goes down all rows at once, and each
//! pixel is loaded once for all the columns of the run that see it. The sums are taken in the same
//! order.

use std::ops::Range;

use super::lanes::Lanes;
use super::product_form::{Product, Start};

/// The longest run of columns that [`run`] is compiled for.
const MAX_COLUMNS: usize = 14;

/// How many inner taps such a product has; none for one that isn't.
#[inline(always)]
pub fn taps(product: &Product, lanes: usize) -> Option<usize> {
    let [_, _, inner] = product.taps;
    let steps = [inner.x_step, product.column_x_step, product.column_out_step];
    let slides = product.outs == 1 && product.row_stride == 1 && steps == [lanes; 3];
    // What `any` is compiled for.
    (slides && matches!(inner.count, 3 | 5)).then_some(inner.count)
}

/// Whether the accumulators of a run, its weights and the pixels of a column fit into the registers.
const fn fits(registers: usize, columns: usize, taps: usize) -> bool {
    columns == 1 || columns + 2 * taps <= registers
}

/// The longest run of columns for so many inner taps.
pub fn widest(registers: usize, taps: usize) -> usize {
    let fitting = (1..=MAX_COLUMNS).rev();
    let fitting = fitting
        .into_iter()
        .find(|&columns| fits(registers, columns, taps));
    fitting.unwrap_or(1)
}

/// Computes the given rows of a product with so many [`taps`].
///
/// # Safety
/// Everything that the product's counts and steps reach from the slices' beginnings can be read, or
/// written.
#[inline(always)]
pub unsafe fn any<V: Lanes>(
    product: &Product,
    taps: usize,
    w: &[f32],
    start: Start<'_>,
    x: &[f32],
    rows: Range<usize>,
    out: &mut [f32],
) {
    let runs = product.columns.div_ceil(product.tile.1);
    let mut first = 0;
    for run in 0..runs {
        let columns = (product.columns - first).div_ceil(runs - run);
        let strip = Strip {
            product,
            start,
            w: w.as_ptr(),
            x: x.as_ptr().wrapping_add(first * V::N),
            rows: rows.clone(),
            out: out.as_mut_ptr().wrapping_add(first * V::N),
        };
        // SAFETY: the caller's promise; the strip ends with the last column at most.
        unsafe {
            match taps {
                3 => run_any::<V, 3>(strip, columns),
                _ => run_any::<V, 5>(strip, columns),
            }
        }
        first += columns;
    }
}

/// Calls [`run`] compiled for this many columns.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn run_any<V: Lanes, const T: usize>(strip: Strip<'_>, columns: usize) {
    macro_rules! sizes {
        ($($c:literal)*) => {
            match columns {
                $($c if const { fits(V::REGISTERS, $c, T) } =>
                    // SAFETY: the caller's promise.
                    unsafe { run::<V, $c, T>(strip) },)*
                _ => unreachable!("`tiled` chooses runs that fit"),
            }
        };
    }
    sizes! { 1 2 3 4 5 6 7 8 9 10 11 12 13 14 }
}

/// Neighbouring columns of all rows. `x` and `out` point to the first of them, `w` to the first tap.
struct Strip<'a> {
    product: &'a Product,
    start: Start<'a>,
    w: *const f32,
    x: *const f32,
    rows: Range<usize>,
    out: *mut f32,
}

/// Computes a strip of `C` columns with `T` inner taps.
///
/// # Safety
/// From the strip's pointers, everything that `C`, `T` and the product's counts and steps reach can be
/// read, or written.
#[inline(always)]
unsafe fn run<V: Lanes, const C: usize, const T: usize>(strip: Strip<'_>) {
    let [outer_taps, middle_taps, inner_taps] = strip.product.taps;
    let row_out_step = strip.product.row_out_step;
    for (index, row) in strip.rows.enumerate() {
        let middle = strip.product.middle(row);
        // SAFETY: the caller's promise; so for all below.
        let out = unsafe { strip.out.add(index * row_out_step) };
        let mut sums = [V::splat(0.0); C];
        match strip.start {
            Start::Zero => {}
            Start::Bias(bias) => sums = [V::splat(bias[0]); C],
            Start::Out => {
                for c in 0..C {
                    sums[c] = unsafe { V::load(out.add(c * V::N)) };
                }
            }
        }
        for outer in 0..outer_taps.count {
            for ky in middle.clone() {
                let w = outer * outer_taps.w_step + ky * middle_taps.w_step;
                let w = unsafe { strip.w.add(w) };
                let x = outer * outer_taps.x_step + (row + ky) * middle_taps.x_step;
                let x = unsafe { strip.x.add(x) };
                let mut weights = [V::splat(0.0); T];
                for t in 0..T {
                    weights[t] = V::splat(unsafe { *w.add(t * inner_taps.w_step) });
                }
                // The compiler sees that neighbouring columns load the same pixels.
                for c in 0..C {
                    for t in 0..T {
                        let pixel = unsafe { V::load(x.add((c + t) * V::N)) };
                        sums[c] = pixel.mul_add(weights[t], sums[c]);
                    }
                }
            }
        }
        for c in 0..C {
            unsafe { sums[c].store(out.add(c * V::N)) };
        }
    }
}
